"""What keeps objects from being lost: versions, soft delete, holds, retention."""

import datetime
from functools import partial
from pathlib import Path
from uuid import uuid4

import pytest
from google.api_core.exceptions import BadRequest, Forbidden, NotFound
from google.cloud import storage

from tests.emulators.launch import Emulator
from tests.emulators.storage.conftest import Connect

DAY = 86400


@pytest.fixture
def versioned(bucket: storage.Bucket) -> storage.Bucket:
    """A bucket that keeps noncurrent generations."""
    bucket.versioning_enabled = True
    bucket.patch()
    return bucket


def test_every_generation_of_a_versioned_bucket_is_kept(versioned: storage.Bucket) -> None:
    """Overwritten and deleted ones are listed with versions, and can be read by generation."""
    blob = versioned.blob("object")
    generations = []
    for text in ("one", "two"):
        blob.upload_from_string(text)
        generations.append(blob.generation)
    versioned.blob("object").delete()
    assert list(versioned.list_blobs()) == []
    assert [found.generation for found in versioned.list_blobs(versions=True, page_size=1)] == generations
    assert versioned.blob("object", generation=generations[0]).download_as_text() == "one"
    versioned.blob("object", generation=generations[0]).delete()
    assert [found.generation for found in versioned.list_blobs(versions=True)] == generations[1:]


def test_a_soft_deleted_object_is_restored(bucket: storage.Bucket) -> None:
    """Within the bucket's policy a delete can be undone; the object gets a new generation."""
    bucket.soft_delete_policy.retention_duration_seconds = 7 * DAY
    bucket.patch()
    blob = bucket.blob("object")
    blob.metadata = {"kept": "yes"}
    blob.upload_from_string("precious")
    generation = blob.generation
    blob.delete()
    assert [found.generation for found in bucket.list_blobs(soft_deleted=True)] == [generation]
    assert bucket.get_blob("object") is None
    found = bucket.get_blob("object", generation=generation, soft_deleted=True)
    assert found.hard_delete_time - found.soft_delete_time == datetime.timedelta(days=7)
    restored = bucket.restore_blob("object", generation=generation)
    assert (restored.metadata, restored.download_as_text()) == ({"kept": "yes"}, "precious")
    assert restored.generation > generation


def test_soft_delete_ends_as_time_goes_by(log: Path, connect: Connect) -> None:
    """The clock of the control plane moves; what was kept long enough is gone for good."""
    with Emulator("storage", log) as own:
        bucket = connect(own).create_bucket("short-memory")
        bucket.soft_delete_policy.retention_duration_seconds = 7 * DAY
        bucket.patch()
        blob = bucket.blob("object")
        blob.upload_from_string("x")
        blob.delete()
        own.control("POST", "/clock", {"advance_seconds": 7 * DAY - 60})
        assert len(list(bucket.list_blobs(soft_deleted=True))) == 1
        own.control("POST", "/clock", {"advance_seconds": 61})
        assert list(bucket.list_blobs(soft_deleted=True)) == []
        with pytest.raises(NotFound):
            bucket.restore_blob("object", generation=blob.generation)


@pytest.mark.parametrize("hold", ["temporary_hold", "event_based_hold"])
def test_a_held_object_cannot_be_lost(bucket: storage.Bucket, hold: str) -> None:
    """Neither deleted, nor overwritten, nor moved, until the hold is released."""
    blob = bucket.blob("object")
    blob.upload_from_string("held")
    setattr(blob, hold, True)
    blob.patch()
    for attempt in (
        partial(bucket.blob("object").delete),
        partial(bucket.blob("object").upload_from_string, "other"),
        partial(bucket.move_blob, blob, "elsewhere"),
    ):
        with pytest.raises(Forbidden, match=r"(?i)hold"):
            attempt()
    setattr(blob, hold, False)
    blob.patch()
    bucket.blob("object").delete()


def test_a_retention_policy_protects_until_its_time(log: Path, connect: Connect) -> None:
    """And once locked it can only grow."""
    with Emulator("storage", log) as own:
        bucket = connect(own).create_bucket("archive")
        bucket.retention_period = DAY
        bucket.patch()
        blob = bucket.blob("object")
        blob.upload_from_string("x")
        assert blob.retention_expiration_time - blob.time_created == datetime.timedelta(days=1)
        with pytest.raises(Forbidden):
            blob.delete()
        bucket.lock_retention_policy()
        bucket.retention_period = 60
        with pytest.raises(Forbidden, match="reduce"):
            bucket.patch()
        own.control("POST", "/clock", {"advance_seconds": DAY + 1})
        blob.delete()


def test_an_objects_own_retention_can_be_locked(emulator: Emulator, connect: Connect) -> None:
    """Only on buckets made for it; locked it cannot be shortened, whatever is overridden.

    Not on the real service: for a day nobody could delete there what this leaves.
    """
    client, name = connect(emulator), f"test-{uuid4().hex}"
    blob = client.create_bucket(name).blob("object")
    blob.upload_from_string("x")
    until = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=1)
    blob.retention.mode, blob.retention.retain_until_time = "Locked", until
    with pytest.raises(BadRequest, match="not enabled"):
        blob.patch()
    allowed = client.create_bucket(f"{name}-r", enable_object_retention=True).blob("object")
    allowed.upload_from_string("x")
    allowed.retention.mode, allowed.retention.retain_until_time = "Locked", until
    allowed.patch()
    with pytest.raises(Forbidden):
        allowed.delete()
    allowed.retention.retain_until_time = until - datetime.timedelta(hours=1)
    with pytest.raises(Forbidden, match="Locked"):
        allowed.patch(override_unlocked_retention=True)
