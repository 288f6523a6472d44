"""Buckets: names, settings, deletion."""

import pytest
from google.api_core.exceptions import BadRequest, Conflict, NotFound
from google.cloud import storage


@pytest.mark.parametrize("name", ["ab", "Upper-case", "x" * 64, "192.168.0.1", "goog-like", "a..b"])
def test_a_wrong_name_is_refused(client: storage.Client, name: str) -> None:
    """What the service would refuse, and the client does not, must not pass here; https://cloud.google.com/storage/docs/buckets#naming"""
    with pytest.raises(BadRequest, match="Invalid bucket name"):
        client.bucket(name).create()


def test_a_bucket_is_created_once(client: storage.Client, bucket: storage.Bucket) -> None:
    """409 the second time."""
    with pytest.raises(Conflict):
        client.create_bucket(bucket.name)
    assert bucket.name in [one.name for one in client.list_buckets(page_size=1)]
    assert client.lookup_bucket("no-such-bucket-here") is None


def test_settings_are_kept_and_removed(bucket: storage.Bucket) -> None:
    """Labels, lifecycle, CORS, versioning, website: whatever the client sets, the client finds."""
    bucket.labels = {"team": "a", "tier": "b"}
    bucket.add_lifecycle_delete_rule(age=30, matches_prefix=["tmp/"])
    bucket.cors = [{"origin": ["*"], "method": ["GET"]}]
    bucket.configure_website("index.html", "404.html")
    bucket.storage_class, bucket.versioning_enabled = "NEARLINE", True
    bucket.patch()
    found = bucket.client.get_bucket(bucket.name)
    assert (found.labels, found.cors) == ({"team": "a", "tier": "b"}, [{"origin": ["*"], "method": ["GET"]}])
    assert list(found.lifecycle_rules) == list(bucket.lifecycle_rules)
    assert (found.storage_class, found.versioning_enabled, found.metageneration) == ("NEARLINE", True, 2)
    labels = found.labels
    del labels["tier"]
    found.labels = labels
    found.clear_lifecycle_rules()
    found.patch()
    again = bucket.client.get_bucket(bucket.name)
    assert (again.labels, list(again.lifecycle_rules)) == ({"team": "a"}, [])


def test_only_an_empty_bucket_is_deleted(bucket: storage.Bucket) -> None:
    """409 for a full one; `force` empties it first."""
    bucket.blob("object").upload_from_string("x")
    with pytest.raises(Conflict, match="not empty"):
        bucket.delete()
    bucket.delete(force=True)
    with pytest.raises(NotFound):
        bucket.reload()
    with pytest.raises(NotFound):
        bucket.blob("object").upload_from_string("x")
