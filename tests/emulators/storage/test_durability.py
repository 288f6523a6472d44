"""`kill -9` at any moment: what was acknowledged is there, what was not is whole or absent."""

import hashlib
import random
import threading
from pathlib import Path

import pytest
import requests
from google.cloud import storage
from google.cloud.exceptions import GoogleCloudError

from emulators.launch import StartFailed
from tests.emulators.launch import Emulator
from tests.emulators.storage.conftest import Connect

WRITERS = 4


def content(name: str) -> bytes:
    """The one content that an object of this name may have: up to 300 kB that follow from it."""
    size = random.Random(name).randrange(300_000)
    return hashlib.shake_128(name.encode()).digest(size)


def write_until_killed(bucket: storage.Bucket, start: int, acknowledged: list[str]) -> None:
    """Create objects one after the other, noting each that was acknowledged, until the emulator is gone."""
    number = start
    while True:
        name = f"object-{number}"
        try:
            bucket.blob(name).upload_from_string(content(name), if_generation_match=0, retry=None, timeout=5)
        except (requests.exceptions.RequestException, GoogleCloudError):
            return
        acknowledged.append(name)
        number += WRITERS


def kill_and_compare(folder: Path, log: Path, connect: Connect, kills: int) -> None:
    """Write, kill, start again and compare, `kills` times on the same data."""
    chance = random.Random(20130101)  # any fixed seed
    acknowledged: list[str] = []
    numbered = 0
    with Emulator("storage", log, data=folder) as running:
        connect(running).create_bucket("durable")
    for _ in range(kills):
        with Emulator("storage", log, data=folder) as running:
            bucket = connect(running).bucket("durable")
            writers = [
                threading.Thread(target=write_until_killed, args=(bucket, numbered + each, acknowledged))
                for each in range(WRITERS)
            ]
            for writer in writers:
                writer.start()
            threading.Event().wait(chance.uniform(0.02, 0.25))
            running.kill()
            for writer in writers:
                writer.join()
        numbered += 10_000
    with Emulator("storage", log, data=folder) as running:
        found = list(connect(running).list_blobs("durable"))
        assert {blob.name for blob in found} >= set(acknowledged)
        assert len(acknowledged) > kills
        for blob in found:
            assert blob.download_as_bytes() == content(blob.name), blob.name
    files = [path for path in (folder / "blobs").rglob("*") if path.is_file()]
    assert len(files) == len(found), "files of unacknowledged writes were left behind"
    print(f"{kills} kills, {len(acknowledged)} acknowledged objects, {len(found)} found, all whole")


def test_ten_kills_lose_and_corrupt_nothing(tmp_path: Path, log: Path, connect: Connect) -> None:
    """The quick slice of the test below."""
    kill_and_compare(tmp_path / "data", log, connect, 10)


@pytest.mark.heavy
@pytest.mark.timeout(900)
def test_two_hundred_kills_lose_and_corrupt_nothing(tmp_path: Path, log: Path, connect: Connect) -> None:
    """Enough that a window of a millisecond would be hit."""
    kill_and_compare(tmp_path / "data", log, connect, 200)


@pytest.mark.parametrize(("action", "present"), [("crash_before", False), ("crash_after", True)])
def test_a_crash_at_the_write_is_all_or_nothing(
    tmp_path: Path, log: Path, connect: Connect, action: str, present: bool
) -> None:
    """Before the commit there is nothing; after it the object is there, though nobody was told."""
    with Emulator("storage", log, data=tmp_path / "data") as first:
        bucket = connect(first).create_bucket("durable")
        bucket.blob("before").upload_from_string("x")
        first.control("POST", "/faults", {"operation": "storage.objects.insert", "action": action})
        with pytest.raises(requests.exceptions.ConnectionError):
            bucket.blob("object").upload_from_string("x" * 1000, retry=None)
        assert first.process.wait(timeout=10) == -9
    with Emulator("storage", log, data=tmp_path / "data") as second:
        names = [blob.name for blob in connect(second).list_blobs("durable")]
    assert names == ["before", "object"][: 2 if present else 1]


def test_a_crash_can_wait_for_the_nth_write(tmp_path: Path, log: Path, connect: Connect) -> None:
    """`after` counts the writes that go well; here the third is made and nobody is told."""
    fault = {"operation": "storage.objects.insert", "action": "crash_after", "after": 2}
    with Emulator("storage", log, data=tmp_path / "data") as first:
        bucket = connect(first).create_bucket("durable")
        first.control("POST", "/faults", fault).raise_for_status()
        for name in "ab":
            bucket.blob(name).upload_from_string("x")
        with pytest.raises(requests.exceptions.ConnectionError):
            bucket.blob("c").upload_from_string("x", retry=None)
        assert first.process.wait(timeout=20) == -9
    with Emulator("storage", log, data=tmp_path / "data") as second:
        assert [blob.name for blob in connect(second).list_blobs("durable")] == ["a", "b", "c"]


def test_two_emulators_cannot_share_a_folder(tmp_path: Path, log: Path) -> None:
    """The second would sweep away what the first is writing; it says so and ends."""
    with Emulator("storage", log, data=tmp_path / "data"):
        second = Emulator("storage", log, data=tmp_path / "data")
        with pytest.raises(StartFailed, match="in use by another"), second:
            pass
        assert second.process.wait(timeout=10) == 1


def test_all_kinds_of_state_survive(tmp_path: Path, log: Path, connect: Connect) -> None:
    """Buckets with their settings, generations, notifications, policies: everything, not only objects."""
    with Emulator("storage", log, data=tmp_path / "data") as first:
        bucket = connect(first).create_bucket("settled", location="europe-west4")
        bucket.labels, bucket.versioning_enabled = {"a": "b"}, True
        bucket.add_lifecycle_delete_rule(age=30)
        bucket.patch()
        bucket.notification("topic", topic_project="test-project", custom_attributes={"k": "v"}).create()
        for text in ("one", "two"):
            bucket.blob("object").upload_from_string(text)
        before = (
            connect(first).get_bucket("settled")._properties,
            [blob._properties for blob in bucket.list_blobs(versions=True)],
        )
        first.kill()
    port = int(first.url.rpartition(":")[2])
    with Emulator("storage", log, data=tmp_path / "data", port=port) as second:
        bucket = connect(second).get_bucket("settled")
        assert (bucket._properties, [blob._properties for blob in bucket.list_blobs(versions=True)]) == before
        assert [one.custom_attributes for one in bucket.list_notifications()] == [{"k": "v"}]
