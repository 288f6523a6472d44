"""Uploads that are cut, sent again, wrong or large."""

import io
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
import requests
from google.api_core.exceptions import BadRequest
from google.cloud import storage
from google.cloud.storage import transfer_manager

from tests.emulators.launch import Emulator
from tests.emulators.storage.conftest import Connect

Fault = Callable[..., AbstractContextManager[None]]
MIB = 1024 * 1024
INSERT = "storage.objects.insert"


@pytest.fixture
def session(bucket: storage.Bucket) -> Iterator[tuple[str, requests.Session]]:
    """A resumable upload of 'object' that was begun by the client, and plain HTTP to go on with."""
    with requests.Session() as plain:
        yield bucket.blob("object").create_resumable_upload_session(), plain


def put(session: tuple[str, requests.Session], data: bytes, content_range: str) -> requests.Response:
    url, plain = session
    return plain.put(url, data=data, headers={"content-range": content_range}, timeout=10)


def test_a_chunk_sent_again_is_not_appended_twice(
    bucket: storage.Bucket, session: tuple[str, requests.Session]
) -> None:
    """A client that lost the answer to a chunk sends it again; other emulators then store it twice."""
    data = os.urandom(3 * MIB // 4)
    quarter = MIB // 4
    for _ in range(2):
        answer = put(session, data[: 2 * quarter], f"bytes 0-{2 * quarter - 1}/*")
        assert (answer.status_code, answer.headers["range"]) == (308, f"bytes=0-{2 * quarter - 1}")
    assert put(session, data[quarter:], f"bytes {quarter}-{len(data) - 1}/{len(data)}").status_code == 200
    assert put(session, b"", f"bytes */{len(data)}").json()["size"] == str(len(data))
    assert bucket.blob("object").download_as_bytes() == data


def test_the_question_how_far_an_upload_came_is_answered(session: tuple[str, requests.Session]) -> None:
    """Nothing yet has no range; what is no whole quantum of 256 KiB was not kept."""
    assert "range" not in put(session, b"", "bytes */*").headers
    put(session, b"x" * (MIB // 4 + 7), f"bytes 0-{MIB // 4 + 6}/{MIB}")
    answer = put(session, b"", "bytes */*")
    assert (answer.status_code, answer.headers["range"]) == (308, f"bytes=0-{MIB // 4 - 1}")


def test_a_chunk_after_a_gap_is_refused(session: tuple[str, requests.Session]) -> None:
    """Bytes that never came must not become a hole."""
    assert put(session, b"x", "bytes 5-5/6").status_code == 503
    assert put(session, b"", "bytes */*").status_code == 308


def test_a_cancelled_upload_is_gone(session: tuple[str, requests.Session], bucket: storage.Bucket) -> None:
    """499 is the service's answer to a cancelled upload."""
    url, plain = session
    assert plain.delete(url, timeout=10).status_code == 499
    assert put(session, b"", "bytes */*").status_code == 404
    assert bucket.get_blob("object") is None


@pytest.mark.parametrize("action", ["error", "break_stream", "lose_answer"])
@pytest.mark.parametrize("at", [1, 2, 4])
def test_the_client_recovers_an_interrupted_upload(bucket: storage.Bucket, fault: Fault, action: str, at: int) -> None:
    """Whatever chunk is cut, half sent, or done and not answered: the client goes on, and the bytes are right."""
    data = os.urandom(3 * MIB + 17)
    with fault(INSERT, action, after=at):  # 0 begins the upload, 1 to 4 are its chunks
        bucket.blob("object", chunk_size=MIB).upload_from_file(io.BytesIO(data))
    assert bucket.blob("object").download_as_bytes() == data


@pytest.mark.parametrize("action", ["break_stream", "lose_answer", "error"])
def test_the_client_repeats_a_simple_upload(bucket: storage.Bucket, fault: Fault, action: str) -> None:
    """A cut simple upload leaves nothing, and its repetition is whole."""
    data = os.urandom(MIB)
    with fault(INSERT, action):
        bucket.blob("object").upload_from_string(data)
    assert bucket.blob("object").download_as_bytes() == data


def test_wrong_digests_are_refused_and_leave_nothing(bucket: storage.Bucket) -> None:
    """A client that states a digest is told when other bytes arrived."""
    for field, value in (("md5_hash", "1B2M2Y8AsgTpgAmY7PhCfg=="), ("crc32c", "AAAAAA==")):
        blob = bucket.blob("object")
        setattr(blob, field, value)
        with pytest.raises(BadRequest, match="doesn't match"):
            blob.upload_from_string("not empty", checksum=None)  # or the client states its own
    assert bucket.get_blob("object") is None


def test_an_upload_goes_on_after_the_emulator_was_killed(tmp_path: Path, log: Path, connect: Connect) -> None:
    """What was acknowledged with 308 is still there, digests and all."""
    data = os.urandom(MIB)
    half = MIB // 2
    with Emulator("storage", log, data=tmp_path / "data") as first, requests.Session() as plain:
        bucket = connect(first).create_bucket("survivor")
        url = bucket.blob("object").create_resumable_upload_session()
        assert put((url, plain), data[:half], f"bytes 0-{half - 1}/{MIB}").status_code == 308
        first.kill()
    port = int(first.url.rpartition(":")[2])
    with Emulator("storage", log, data=tmp_path / "data", port=port) as second, requests.Session() as plain:
        assert put((url, plain), b"", "bytes */*").headers["range"] == f"bytes=0-{half - 1}"
        assert put((url, plain), data[half:], f"bytes {half}-{MIB - 1}/{MIB}").status_code == 200
        assert connect(second).bucket("survivor").blob("object").download_as_bytes() == data


def test_the_transfer_manager_uploads_and_downloads_in_parts(bucket: storage.Bucket, tmp_path: Path) -> None:
    """It uses the XML API's multipart uploads, and ranges to come back."""
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(os.urandom(12 * MIB + 3))
    blob = bucket.blob("dir/öbject")
    transfer_manager.upload_chunks_concurrently(
        str(source), blob, chunk_size=5 * MIB, max_workers=3, worker_type=transfer_manager.THREAD
    )
    transfer_manager.download_chunks_concurrently(
        blob, str(target), chunk_size=5 * MIB, max_workers=3, worker_type=transfer_manager.THREAD
    )
    assert target.read_bytes() == source.read_bytes()
    blob.reload()
    assert blob.md5_hash is None  # as in the service: only CRC32C for what was uploaded in parts


def test_a_part_that_was_damaged_on_its_way_is_noticed(bucket: storage.Bucket, tmp_path: Path, fault: Fault) -> None:
    """A failing part fails the upload, and no object appears."""
    source = tmp_path / "source"
    source.write_bytes(b"x" * 6 * MIB)
    with fault("storage.multipartUploads.complete", "error", status=400), pytest.raises(Exception, match="400"):
        transfer_manager.upload_chunks_concurrently(
            str(source), bucket.blob("object"), chunk_size=5 * MIB, worker_type=transfer_manager.THREAD
        )
    assert bucket.get_blob("object") is None


def test_an_empty_object_is_an_object(bucket: storage.Bucket) -> None:
    """By every way of uploading."""
    bucket.blob("simple").upload_from_string(b"")
    with bucket.blob("written").open("wb"):
        pass
    bucket.blob("stream", chunk_size=MIB).upload_from_file(io.BytesIO(b""))
    for blob in bucket.list_blobs():
        assert (blob.size, blob.crc32c, blob.download_as_bytes()) == (0, "AAAAAA==", b"")
    assert len(list(bucket.list_blobs())) == 3
