"""New objects from stored ones: copy, rewrite, move, compose."""

import base64
import os
from collections.abc import Callable
from contextlib import AbstractContextManager

import google_crc32c
import pytest
from google.api_core.exceptions import BadRequest, NotFound
from google.cloud import storage

Fault = Callable[..., AbstractContextManager[None]]
MIB = 1024 * 1024


@pytest.fixture
def source(bucket: storage.Bucket) -> storage.Blob:
    """An object with metadata."""
    blob = bucket.blob("dir/sourcé")
    blob.metadata = {"from": "source"}
    blob.upload_from_string("content", content_type="text/csv")
    return blob


def test_a_copy_takes_bytes_and_metadata_along(bucket: storage.Bucket, source: storage.Blob) -> None:
    """And outlives its source, with which it shares the stored bytes."""
    copy = bucket.copy_blob(source, bucket, "copy/öf it")
    source.delete()
    copy.reload()
    assert (copy.content_type, copy.metadata, copy.crc32c) == ("text/csv", {"from": "source"}, source.crc32c)
    assert copy.download_as_text() == "content"


def test_a_copy_of_an_old_generation(bucket: storage.Bucket, source: storage.Blob) -> None:
    """How a noncurrent version is brought back."""
    bucket.versioning_enabled = True
    bucket.patch()
    old = source.generation
    source.upload_from_string("newer")
    bucket.copy_blob(source, bucket, source.name, source_generation=old)
    assert bucket.blob(source.name).download_as_text() == "content"


def test_a_rewrite_in_several_calls_appears_with_the_last(bucket: storage.Bucket) -> None:
    """Each call but the last returns a token and how far it came."""
    source, target = bucket.blob("source"), bucket.blob("target")
    source.upload_from_string(b"x" * (2 * MIB + MIB // 2))
    path = f"/b/{bucket.name}/o/source/rewriteTo/b/{bucket.name}/o/target"
    token: str | None = None
    seen: list[int] = []
    while token is not None or not seen:
        query = {"maxBytesRewrittenPerCall": MIB} | ({"rewriteToken": token} if token else {})
        answer = bucket.client._connection.api_request(method="POST", path=path, query_params=query)
        assert target.exists() == answer["done"]
        token = answer.get("rewriteToken")
        seen.append(int(answer["totalBytesRewritten"]))
    assert seen == [MIB, 2 * MIB, 2 * MIB + MIB // 2]


def test_a_rewrite_changes_the_key(bucket: storage.Bucket) -> None:
    """How a customer rotates an encryption key."""
    old, new = bucket.blob("object", encryption_key=b"o" * 32), bucket.blob("object", encryption_key=b"n" * 32)
    old.upload_from_string("secret")
    assert new.rewrite(old) == (None, 6, 6)
    assert new.download_as_text() == "secret"
    with pytest.raises(BadRequest):
        bucket.blob("object", encryption_key=b"o" * 32).download_as_bytes()


def test_a_storage_class_is_changed_by_a_rewrite(source: storage.Blob) -> None:
    """`update_storage_class` is a rewrite onto itself."""
    source.update_storage_class("NEARLINE")
    source.reload()
    assert (source.storage_class, source.download_as_text()) == ("NEARLINE", "content")


def test_a_move_leaves_nothing_behind(bucket: storage.Bucket, source: storage.Blob) -> None:
    """One atomic step: the new name has all of it, the old name is gone."""
    moved = bucket.move_blob(source, "elsewhere")
    assert (moved.metadata, moved.download_as_text()) == ({"from": "source"}, "content")
    assert [blob.name for blob in bucket.list_blobs()] == ["elsewhere"]


def test_compose_joins_up_to_32_objects_in_order(bucket: storage.Bucket) -> None:
    """The result has a component count and a CRC32C of the whole, and no MD5."""
    parts = [bucket.blob(f"part {number}") for number in range(32)]
    data = [os.urandom(1000 + number) for number in range(32)]
    for blob, content in zip(parts, data, strict=True):
        blob.upload_from_string(content)
    whole = bucket.blob("whole")
    whole.content_type = "text/plain"
    whole.compose(parts)
    assert whole.download_as_bytes() == b"".join(data)
    assert (whole.component_count, whole.md5_hash, whole.content_type) == (32, None, "text/plain")
    assert int.from_bytes(base64.b64decode(whole.crc32c)) == google_crc32c.value(b"".join(data))
    with pytest.raises(BadRequest, match="1 to 32"):
        whole.compose([*parts, parts[0]])


def test_compose_of_what_is_not_there_is_refused(bucket: storage.Bucket, source: storage.Blob) -> None:
    """And leaves no object."""
    with pytest.raises(NotFound):
        bucket.blob("whole").compose([source, bucket.blob("absent")])
    assert bucket.get_blob("whole") is None
