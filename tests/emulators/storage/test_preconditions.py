"""Generation and metageneration preconditions on every method, and under races: all of our state rests on them."""

import io
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from google.api_core.exceptions import NotFound, PreconditionFailed
from google.cloud import storage

Upload = Callable[[storage.Blob, bytes, int], None]
LARGE = 9 * 1024 * 1024  # bytes; the client's uploads become resumable above 8 MiB
CHUNK = 1024 * 1024


def simple(blob: storage.Blob, data: bytes, match: int) -> None:
    blob.upload_from_string(data, if_generation_match=match)


def resumable(blob: storage.Blob, data: bytes, match: int) -> None:
    blob.upload_from_file(io.BytesIO(data.ljust(LARGE)), if_generation_match=match)


def chunked(blob: storage.Blob, data: bytes, match: int) -> None:
    blob.chunk_size = CHUNK
    blob.upload_from_file(io.BytesIO(data.ljust(2 * CHUNK + 5)), if_generation_match=match)


@pytest.mark.parametrize("upload", [simple, resumable, chunked])
def test_every_kind_of_upload_keeps_to_its_generation(bucket: storage.Bucket, upload: Upload) -> None:
    """Create if absent, then compare and set: refused, and nothing changed, when someone was faster."""
    upload(bucket.blob("object"), b"first", 0)
    first = bucket.get_blob("object").generation
    with pytest.raises(PreconditionFailed):
        upload(bucket.blob("object"), b"not first", 0)
    assert bucket.get_blob("object").generation == first
    upload(bucket.blob("object"), b"second", first)
    with pytest.raises(PreconditionFailed):
        upload(bucket.blob("object"), b"stale", first)
    assert bucket.blob("object").download_as_bytes().startswith(b"second")


@pytest.mark.parametrize("upload", [simple, resumable, chunked])
def test_a_race_to_create_has_exactly_one_winner(bucket: storage.Bucket, upload: Upload) -> None:
    """Sixteen writers, one lease: in another emulator all sixteen win."""

    def attempt(number: int) -> bytes | None:
        try:
            upload(bucket.blob("lease"), b"writer %d." % number, 0)
        except PreconditionFailed:
            return None
        return b"writer %d." % number

    with ThreadPoolExecutor(16) as writers:
        won = [name for name in writers.map(attempt, range(16)) if name]
    assert len(won) == 1
    assert bucket.blob("lease").download_as_bytes().startswith(won[0])


def test_a_race_to_compare_and_set_loses_no_update(bucket: storage.Bucket) -> None:
    """A counter raised by eight writers ten times each ends at 80: no lost update."""
    bucket.blob("counter").upload_from_string("0")

    def raise_ten_times(_: int) -> None:
        done = 0
        while done < 10:
            found = bucket.get_blob("counter")
            value = int(bucket.blob("counter", generation=found.generation).download_as_text()) if found else 0
            try:
                bucket.blob("counter").upload_from_string(str(value + 1), if_generation_match=found.generation)
            except PreconditionFailed:
                continue
            done += 1

    bucket.versioning_enabled = True  # so that a reader's generation is still there when a writer was faster
    bucket.patch()
    with ThreadPoolExecutor(8) as writers:
        list(writers.map(raise_ten_times, range(8)))
    assert bucket.blob("counter").download_as_text() == "80"


CALLS: dict[str, Callable[[storage.Bucket, int], object]] = {
    "delete": lambda bucket, match: bucket.blob("object").delete(if_generation_match=match),
    "download": lambda bucket, match: bucket.blob("object").download_as_bytes(if_generation_match=match),
    "get": lambda bucket, match: bucket.blob("object").reload(if_generation_match=match),
    "patch": lambda bucket, match: bucket.blob("object").patch(if_generation_match=match),
    "update": lambda bucket, match: bucket.blob("object").update(if_generation_match=match),
    "compose": lambda bucket, match: bucket.blob("object").compose([bucket.blob("other")], if_generation_match=match),
    "compose, source": lambda bucket, match: bucket.blob("new").compose(
        [bucket.blob("object")], if_source_generation_match=[match]
    ),
    "copy": lambda bucket, match: bucket.copy_blob(bucket.blob("other"), bucket, "object", if_generation_match=match),
    "copy, source": lambda bucket, match: bucket.copy_blob(
        bucket.blob("object"), bucket, "new", if_source_generation_match=match
    ),
    "rewrite": lambda bucket, match: bucket.blob("object").rewrite(bucket.blob("other"), if_generation_match=match),
    "rewrite, source": lambda bucket, match: bucket.blob("new").rewrite(
        bucket.blob("object"), if_source_generation_match=match
    ),
    "move": lambda bucket, match: bucket.move_blob(bucket.blob("other"), "object", if_generation_match=match),
}


@pytest.mark.parametrize("call", CALLS)
def test_every_method_keeps_to_its_generation(bucket: storage.Bucket, call: str) -> None:
    """A wrong generation is refused by 412 and changes nothing; the right one passes."""
    for name in ("object", "other"):
        bucket.blob(name).upload_from_string(name)
    generation = bucket.get_blob("object").generation
    with pytest.raises(PreconditionFailed):
        CALLS[call](bucket, generation + 1)
    assert bucket.get_blob("object").generation == generation
    assert {blob.name for blob in bucket.list_blobs()} == {"object", "other"}
    CALLS[call](bucket, generation)


def test_metageneration_guards_metadata(bucket: storage.Bucket) -> None:
    """Two who patch from the same state: the second is told."""
    bucket.blob("object").upload_from_string("x")
    one, two = bucket.get_blob("object"), bucket.get_blob("object")
    one.metadata = {"by": "one"}
    one.patch(if_metageneration_match=1)
    two.metadata = {"by": "two"}
    with pytest.raises(PreconditionFailed):
        two.patch(if_metageneration_match=1)
    assert bucket.get_blob("object").metadata == {"by": "one"}


def test_a_delete_of_a_generation_that_was_replaced_is_refused(bucket: storage.Bucket) -> None:
    """Releasing a lease that someone else has taken meanwhile must not release theirs."""
    blob = bucket.blob("lease")
    blob.upload_from_string("mine")
    mine = blob.generation
    blob.upload_from_string("theirs")
    with pytest.raises(PreconditionFailed):
        bucket.blob("lease").delete(if_generation_match=mine)
    assert bucket.blob("lease").download_as_text() == "theirs"


def test_a_bucket_is_guarded_by_its_metageneration(bucket: storage.Bucket) -> None:
    """Buckets have no generations to match, but metagenerations."""
    bucket.labels = {"a": "b"}
    bucket.patch(if_metageneration_match=1)
    with pytest.raises(PreconditionFailed):
        bucket.patch(if_metageneration_match=1)
    assert bucket.metageneration == 2


def test_generation_zero_means_absent_for_a_copy_too(bucket: storage.Bucket) -> None:
    """A staged result is put in place only if nobody else has."""
    for name in ("source", "target"):
        bucket.blob(name).upload_from_string(name)
    with pytest.raises(PreconditionFailed):
        bucket.copy_blob(bucket.blob("source"), bucket, "target", if_generation_match=0)
    bucket.blob("target").delete()
    bucket.copy_blob(bucket.blob("source"), bucket, "target", if_generation_match=0)
    assert bucket.blob("target").download_as_text() == "source"


def test_what_is_not_there_is_not_found_whatever_the_precondition(bucket: storage.Bucket) -> None:
    """A read of nothing is 404, not 412."""
    with pytest.raises(NotFound):
        bucket.blob("absent").download_as_bytes(if_generation_match=5)
