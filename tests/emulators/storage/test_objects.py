"""One object: what goes in comes out, under any legal name."""

import pytest
from google.api_core.exceptions import BadRequest, NotFound
from google.cloud import storage

LEGAL = [
    "dir",
    "dir/file",
    "a/../b",
    "a//b/",
    "/leading",
    "ünïcödé ☃ 🚀",
    "a?b#c%20d&e=f",
    "sp ace+plus",
    "back\\slash",
    "x" * 1024,
    "é" * 512,
]


def test_a_name_and_the_folder_of_the_same_name_live_side_by_side(bucket: storage.Bucket) -> None:
    """Names are texts, not paths: an emulator that stores objects as files of the same names fails here."""
    for name in LEGAL:
        bucket.blob(name).upload_from_string(name)
    assert {name: bucket.blob(name).download_as_text() for name in LEGAL} == {name: name for name in LEGAL}
    assert [blob.name for blob in bucket.list_blobs()] == sorted(LEGAL, key=str.encode)


@pytest.mark.parametrize("name", ["x" * 1025, "new\nline", ".well-known/acme-challenge/x"])
def test_an_illegal_name_is_refused(bucket: storage.Bucket, name: str) -> None:
    """What the service would refuse must not pass here."""
    with pytest.raises(BadRequest):
        bucket.blob(name).upload_from_string("x")


def test_metadata_is_kept_patched_and_removed(bucket: storage.Bucket) -> None:
    """Custom metadata and the fixed fields survive, and a patch changes only what it names."""
    blob = bucket.blob("object")
    blob.metadata, blob.cache_control = {"one": "1", "two": "zwei ☃"}, "no-store"
    blob.upload_from_string("x", content_type="text/csv")
    blob.metadata = {"one": None, "three": "3"}
    blob.patch()
    found = bucket.get_blob("object")
    assert found.metadata == {"two": "zwei ☃", "three": "3"}
    assert (found.content_type, found.cache_control, found.metageneration) == ("text/csv", "no-store", 2)


def test_numbers_and_digests_are_those_of_the_service(bucket: storage.Bucket) -> None:
    """Numbers are texts in JSON; the digests are MD5 and CRC32C (Castagnoli) of 'hello' in base64."""
    blob = bucket.blob("object")
    blob.upload_from_string("hello")
    raw = blob._properties
    assert (raw["size"], raw["metageneration"], raw["generation"].isdigit()) == ("5", "1", True)
    assert (raw["md5Hash"], raw["crc32c"]) == ("XUFAKrxLKna5cZ2REBfFkg==", "mnG7TA==")
    assert raw["id"] == f"{bucket.name}/object/{raw['generation']}"


def test_a_write_replaces_and_a_delete_removes(bucket: storage.Bucket) -> None:
    """Generations grow, and what is gone is a 404 for reading and for deleting."""
    blob = bucket.blob("object")
    blob.upload_from_string("first")
    first = blob.generation
    blob.upload_from_string("second")
    assert blob.generation > first
    with pytest.raises(NotFound):
        bucket.blob("object", generation=first).download_as_bytes()
    bucket.blob("object").delete()
    for call in (bucket.blob("object").delete, bucket.blob("object").download_as_bytes, bucket.blob("object").reload):
        with pytest.raises(NotFound, match="No such object"):
            call()


def test_a_batch_does_many_calls_and_reports_the_one_that_failed(
    bucket: storage.Bucket, client: storage.Client
) -> None:
    """One wrong call of a batch must not stop the others."""
    for name in ("a/1", "a/2"):
        bucket.blob(name).upload_from_string("x")
    with client.batch(raise_exception=False) as batch:
        for name in ("a/1", "absent", "a/2"):
            bucket.blob(name).delete()
    assert [response.status_code for response in batch._responses] == [204, 404, 204]
    assert list(bucket.list_blobs()) == []


def test_a_batch_of_patches_returns_the_new_metadata(bucket: storage.Bucket, client: storage.Client) -> None:
    """The client fills its objects from the parts of the answer."""
    blobs = [bucket.blob(f"object {number}") for number in range(3)]
    for blob in blobs:
        blob.upload_from_string("x")
    with client.batch():
        for blob in blobs:
            blob.metadata = {"name": blob.name}
            blob.patch()
    assert [blob.metageneration for blob in blobs] == [2, 2, 2]
