"""What soft delete brings back beyond one object: buckets, and many objects at once."""

import uuid
from pathlib import Path

import pytest
import requests
from google.cloud import exceptions, storage

from tests.emulators.launch import Emulator
from tests.emulators.storage.conftest import Connect

WEEK = 7 * 86400


@pytest.fixture
def soft(client: storage.Client) -> storage.Bucket:
    """A bucket with a soft-delete policy."""
    bucket = client.bucket(f"soft-{uuid.uuid4().hex}")
    bucket.soft_delete_policy.retention_duration_seconds = WEEK
    return client.create_bucket(bucket)


def test_a_deleted_bucket_comes_back_with_its_objects(client: storage.Client, soft: storage.Bucket) -> None:
    """Under its generation, also after another had the name; its objects are soft-deleted, and come back one by one."""
    soft.labels = {"team": "a"}
    soft.patch()
    blob = soft.blob("a")
    blob.upload_from_string("text")
    blob.delete()
    soft.delete()
    (deleted,) = client.list_buckets(soft_deleted=True, prefix=soft.name)
    assert client.get_bucket(soft.name, generation=soft.generation, soft_deleted=True).soft_delete_time is not None
    client.create_bucket(soft.name)
    with pytest.raises(exceptions.Conflict):
        client.restore_bucket(soft.name, generation=deleted.generation)
    client.bucket(soft.name).delete()
    restored = client.restore_bucket(soft.name, generation=deleted.generation)
    assert (client.get_bucket(soft.name).labels, restored.generation) == ({"team": "a"}, soft.generation)
    soft.restore_blob("a", generation=blob.generation)
    assert soft.blob("a").download_as_bytes() == b"text"


def test_a_deleted_bucket_is_gone_when_its_time_is_over(log: Path, connect: Connect, tmp_path: Path) -> None:
    """With the bytes of what was in it."""
    with Emulator("storage", log, data=tmp_path / "data") as own:
        client = connect(own)
        bucket = client.bucket("short")
        bucket.soft_delete_policy.retention_duration_seconds = WEEK
        bucket = client.create_bucket(bucket)
        bucket.blob("a").upload_from_string("x")
        bucket.blob("a").delete()
        bucket.delete()
        own.control("POST", "/clock", {"advance_seconds": WEEK + 1}).raise_for_status()
        with pytest.raises(exceptions.NotFound):
            client.restore_bucket("short", generation=bucket.generation)
        assert [path for path in (tmp_path / "data" / "blobs").rglob("*") if path.is_file()] == []


def test_many_objects_come_back_at_once(emulator: Emulator, soft: storage.Bucket) -> None:
    """By pattern; of several generations the newest; a live object stays unless it may be overwritten."""
    for name, text in (("in/a", "1"), ("in/a", "2"), ("in/b", "3"), ("out/c", "4")):
        soft.blob(name).upload_from_string(text)
        soft.blob(name).delete()
    soft.blob("in/b").upload_from_string("newer")
    url = f"{emulator.url}/storage/v1/b/{soft.name}/o/bulkRestore"
    operation = requests.post(url, json={"matchGlobs": ["in/**"]}, timeout=10).json()
    counts = {key: value for key, value in operation["metadata"].items() if key.endswith("Count")}
    assert (operation["done"], counts) == (True, {"succeededCount": "1", "skippedCount": "1", "failedCount": "0"})
    assert {blob.name: blob.download_as_bytes() for blob in soft.list_blobs()} == {"in/a": b"2", "in/b": b"newer"}
    requests.post(url, json={"matchGlobs": ["in/b"], "allowOverwrite": True}, timeout=10).raise_for_status()
    assert soft.blob("in/b").download_as_bytes() == b"3"


def test_an_objects_policy_is_kept(emulator: Emulator, bucket: storage.Bucket) -> None:
    """Its etag guards it; the object's resource does not show it."""
    blob = bucket.blob("a/b")
    blob.upload_from_string("x")
    url = f"{emulator.url}/storage/v1/b/{bucket.name}/o/a%2Fb/iam"
    policy = requests.get(url, timeout=10).json()
    binding = {"role": "roles/storage.objectViewer", "members": ["user:a@example.com"]}
    kept = requests.put(url, json=policy | {"bindings": [binding]}, timeout=10).json()
    assert requests.get(url, timeout=10).json() == kept
    assert requests.put(url, json=policy, timeout=10).status_code == 412
    blob.reload()
    assert "iamPolicy" not in blob._properties
