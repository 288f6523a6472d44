"""Downloads: ranges, old generations, compression, broken connections, customer-supplied keys."""

import gzip
import os
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
import requests
from google.api_core.exceptions import BadRequest, RequestRangeNotSatisfiable
from google.cloud import storage

Fault = Callable[..., AbstractContextManager[None]]
MIB = 1024 * 1024


@pytest.mark.parametrize(("start", "end"), [(0, 0), (3, 6), (5, None), (-4, None), (0, 10_000)])
def test_a_range_gives_its_bytes(bucket: storage.Bucket, start: int, end: int | None) -> None:
    """`end` is inclusive in this client; a range past the end gives what there is."""
    data = bytes(range(100))
    bucket.blob("object").upload_from_string(data)
    expected = data[start:] if end is None else data[start : end + 1]
    assert bucket.blob("object").download_as_bytes(start=start, end=end) == expected


def test_a_range_beyond_the_end_is_refused(bucket: storage.Bucket) -> None:
    """416, as for any range of an empty object."""
    bucket.blob("object").upload_from_string(b"")
    with pytest.raises(RequestRangeNotSatisfiable):
        bucket.blob("object").download_as_bytes(start=1, end=2)


def test_a_large_object_comes_back_in_chunks(bucket: storage.Bucket) -> None:
    """Reading by chunks and seeking, as pyarrow and pandas do."""
    data = os.urandom(3 * MIB + 11)
    bucket.blob("object").upload_from_string(data)
    assert bucket.blob("object", chunk_size=MIB).download_as_bytes() == data
    with bucket.blob("object").open("rb", chunk_size=MIB) as stream:
        stream.seek(2 * MIB)
        assert stream.read(10) == data[2 * MIB : 2 * MIB + 10]


def test_gzip_is_undone_for_who_does_not_take_it(bucket: storage.Bucket) -> None:
    """Decompressive transcoding: https://cloud.google.com/storage/docs/transcoding"""
    packed = gzip.compress(b"hello" * 1000)
    blob = bucket.blob("object")
    blob.content_encoding = "gzip"
    blob.upload_from_string(packed, content_type="text/plain")
    assert blob.download_as_bytes() == b"hello" * 1000
    assert blob.download_as_bytes(raw_download=True) == packed
    plain = requests.get(blob.media_link, headers={"accept-encoding": "identity"}, timeout=10)
    assert plain.content == b"hello" * 1000
    assert "content-encoding" not in plain.headers


def test_a_broken_download_is_completed(bucket: storage.Bucket, fault: Fault) -> None:
    """The connection breaks half-way; the client asks for the rest and checks the whole."""
    data = os.urandom(6 * MIB)
    bucket.blob("object").upload_from_string(data)
    with fault("storage.objects.get", "break_stream"):
        assert bucket.blob("object").download_as_bytes() == data


def test_an_encrypted_object_wants_its_key(bucket: storage.Bucket) -> None:
    """Without the customer's key, or with another, no byte is given."""
    key = b"k" * 32
    bucket.blob("object", encryption_key=key).upload_from_string("secret")
    assert bucket.blob("object", encryption_key=key).download_as_text() == "secret"
    for wrong in (None, b"w" * 32):
        with pytest.raises(BadRequest):
            bucket.blob("object", encryption_key=wrong).download_as_bytes()


def test_an_unchanged_object_is_not_sent_again(bucket: storage.Bucket) -> None:
    """304 for whoever already has it."""
    blob = bucket.blob("object")
    blob.upload_from_string("x")
    answer = requests.get(blob.media_link, headers={"if-none-match": f'"{blob.etag}"'}, timeout=10)
    assert (answer.status_code, answer.content) == (304, b"")
