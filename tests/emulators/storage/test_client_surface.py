"""Every public method of google-cloud-storage's client, bucket and blob that asks the service something, once."""

import inspect
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import pytest
from google.cloud import storage

from tests.emulators.launch import Emulator
from tests.emulators.storage.conftest import Connect

READ = ["storage.objects.get"]


class Given(NamedTuple):
    """What a call works on: `blob` exists and holds `text`, `folder` is empty."""

    client: storage.Client
    bucket: storage.Bucket
    blob: storage.Blob
    folder: Path


@pytest.fixture
def given(emulator: Emulator, connect: Connect, tmp_path: Path) -> Given:
    """A bucket of the test's own with one object."""
    client = connect(emulator)
    bucket = client.create_bucket(f"surface-{uuid4().hex}")
    blob = bucket.blob("object")
    blob.upload_from_string("text")
    return Given(client, bucket, blob, tmp_path)


def _restored_bucket(g: Given) -> bool:
    g.bucket.soft_delete_policy.retention_duration_seconds = 7 * 86400
    g.bucket.patch()
    g.bucket.delete(force=True)
    restored = g.client.restore_bucket(g.bucket.name, generation=g.bucket.generation)
    return bool(restored.generation == g.bucket.generation)


def _restored_blob(g: Given) -> bool:
    g.bucket.soft_delete_policy.retention_duration_seconds = 7 * 86400
    g.bucket.patch()
    g.blob.delete()
    return bool(g.bucket.restore_blob("object", generation=g.blob.generation).download_as_bytes() == b"text")


def _batched(g: Given) -> bool:
    with g.client.batch():
        g.bucket.blob("object").delete()
    return not g.blob.exists()


def _locked(g: Given) -> bool:
    g.bucket.retention_period = 1
    g.bucket.patch()
    g.bucket.lock_retention_policy()
    return bool(g.bucket.retention_policy_locked)


def _policy(of: Any) -> bool:
    policy = of.get_iam_policy()
    policy.bindings.append({"role": "roles/storage.objectViewer", "members": {"user:a@example.com"}})
    of.set_iam_policy(policy)
    return any(each["role"] == "roles/storage.objectViewer" for each in of.get_iam_policy().bindings)


def _written(g: Given) -> bool:
    with g.bucket.blob("opened").open("w") as file:
        file.write("x")
    with g.bucket.blob("opened").open() as file:
        return bool(file.read() == "x")


def _downloaded(g: Given, method: str) -> bool:
    out = BytesIO()
    (g.client.download_blob_to_file if method == "client" else type(g.blob).download_to_file)(g.blob, out)
    return out.getvalue() == b"text"


def _to_file(g: Given) -> bool:
    g.blob.download_to_filename(g.folder / "f")
    g.bucket.blob("from-file").upload_from_filename(g.folder / "f")
    g.bucket.blob("from-stream").upload_from_file(BytesIO(b"text"))
    return {blob.size for blob in g.bucket.list_blobs()} == {4}


def _keys(g: Given) -> bool:
    key, secret = g.client.create_hmac_key("a@example.com")
    found = g.client.get_hmac_key_metadata(key.access_id)
    return bool(secret) and found in list(g.client.list_hmac_keys())


def _created(g: Given) -> bool:
    bucket = g.client.bucket(f"{g.bucket.name}-more")
    bucket.create()
    return g.client.lookup_bucket(bucket.name) is not None and bucket.exists()


def _notified(g: Given) -> bool:
    g.bucket.notification("topic", topic_project="test-project").create()
    (listed,) = g.bucket.list_notifications()
    return bool(g.bucket.get_notification(listed.notification_id).notification_id == listed.notification_id)


def _text(g: Given, name: str = "object") -> str | None:
    """What stands in an object, by a handle that knows nothing of it yet; None where there is none."""
    found = g.bucket.get_blob(name)
    return None if found is None else str(found.download_as_text())


def _public(acl: Any) -> bool:
    acl.reload()
    return "READER" in acl.all().get_roles()


def _bucket_opened_and_closed(g: Given) -> bool:
    def opened() -> list[bool]:
        bucket = g.client.bucket(g.bucket.name)
        return [_public(acl) for acl in (bucket.acl, bucket.default_object_acl, bucket.blob("object").acl)]

    before = opened()
    g.bucket.make_public(recursive=True, future=True)
    public = opened()
    g.bucket.make_private(recursive=True, future=True)
    return (before, public, opened()) == ([False] * 3, [True] * 3, [False] * 3)


def _blob_opened_and_closed(g: Given) -> bool:
    def opened() -> bool:
        return _public(g.client.bucket(g.bucket.name).blob("object").acl)

    before = opened()
    g.blob.make_public()
    public = opened()
    g.blob.make_private()
    return (before, public, opened()) == (False, True, False)


def _bucket_changed(g: Given, method: str) -> bool:
    g.bucket.labels = {"team": "a"}
    getattr(g.bucket, method)()
    return bool(g.client.get_bucket(g.bucket.name).labels == {"team": "a"})


def _blob_changed(g: Given, method: str) -> bool:
    g.blob.metadata = {"kept": "yes"}
    getattr(g.blob, method)()
    return bool(g.bucket.get_blob("object").metadata == {"kept": "yes"})


def _bucket_reloaded(g: Given) -> bool:
    other = g.client.get_bucket(g.bucket.name)
    other.labels = {"team": "a"}
    other.patch()
    g.bucket.reload()
    return bool(g.bucket.labels == {"team": "a"})


def _blob_reloaded(g: Given) -> bool:
    other = g.bucket.get_blob("object")
    other.metadata = {"kept": "yes"}
    other.patch()
    g.blob.reload()
    return bool(g.blob.metadata == {"kept": "yes"})


def _listed(g: Given) -> bool:
    return [blob.name for blob in (*g.client.list_blobs(g.bucket), *g.bucket.list_blobs())] == ["object", "object"]


def _composed(g: Given) -> bool:
    g.bucket.blob("both").compose([g.blob, g.blob])
    return _text(g, "both") == "texttext"


def _of_another_class(g: Given) -> bool:
    g.blob.update_storage_class("NEARLINE")
    return bool(g.bucket.get_blob("object").storage_class == "NEARLINE") and _text(g) == "text"


def _uploaded(g: Given) -> bool:
    g.bucket.blob("new").upload_from_string("x")
    return _text(g, "new") == "x"


CALLS: dict[str, Callable[[Given], object]] = {
    "Client.batch": _batched,
    "Client.create_bucket Client.lookup_bucket Bucket.create Bucket.exists": _created,
    "Client.create_hmac_key Client.get_hmac_key_metadata Client.list_hmac_keys": _keys,
    "Client.download_blob_to_file": lambda g: _downloaded(g, "client"),
    "Client.get_bucket Bucket.reload": _bucket_reloaded,
    "Client.get_service_account_email": lambda g: g.client.get_service_account_email(),
    "Client.list_blobs Bucket.list_blobs": _listed,
    "Client.list_buckets": lambda g: g.bucket.name in [each.name for each in g.client.list_buckets()],
    "Client.restore_bucket Bucket.delete": _restored_bucket,
    "Bucket.copy_blob": lambda g: g.bucket.copy_blob(g.blob, g.bucket, "copy").download_as_text() == "text",
    "Bucket.delete_blob": lambda g: g.bucket.delete_blob("object") is None and _text(g) is None,
    "Bucket.delete_blobs": lambda g: g.bucket.delete_blobs(["object"]) is None and _text(g) is None,
    "Bucket.get_blob": lambda g: g.bucket.get_blob("object").size == 4 and g.bucket.get_blob("absent") is None,
    "Bucket.get_iam_policy Bucket.set_iam_policy": lambda g: _policy(g.bucket),
    "Bucket.get_notification Bucket.list_notifications Bucket.notification": _notified,
    "Bucket.lock_retention_policy": _locked,
    "Bucket.make_private Bucket.make_public": _bucket_opened_and_closed,
    "Bucket.move_blob": lambda g: g.bucket.move_blob(g.blob, "moved").download_as_text() == "text",
    "Bucket.patch": lambda g: _bucket_changed(g, "patch"),
    "Bucket.rename_blob": lambda g: g.bucket.rename_blob(g.blob, "renamed").exists(),
    "Bucket.restore_blob": _restored_blob,
    "Bucket.test_iam_permissions": lambda g: g.bucket.test_iam_permissions(READ) == READ,
    "Bucket.update": lambda g: _bucket_changed(g, "update"),
    "Blob.compose": _composed,
    "Blob.create_resumable_upload_session": lambda g: g.bucket.blob("later").create_resumable_upload_session(),
    "Blob.delete": lambda g: g.blob.delete() is None and _text(g) is None,
    "Blob.download_as_bytes Blob.download_as_text": lambda g: (
        (g.blob.download_as_bytes(), g.blob.download_as_text()) == (b"text", "text")
    ),
    "Blob.download_to_file": lambda g: _downloaded(g, "blob"),
    "Blob.download_to_filename Blob.upload_from_filename Blob.upload_from_file": _to_file,
    "Blob.exists": lambda g: g.blob.exists(),
    "Blob.get_iam_policy Blob.set_iam_policy": lambda g: _policy(g.blob),
    "Blob.make_private Blob.make_public": _blob_opened_and_closed,
    "Blob.open": _written,
    "Blob.patch": lambda g: _blob_changed(g, "patch"),
    "Blob.reload": _blob_reloaded,
    "Blob.rewrite": lambda g: g.bucket.blob("rewritten").rewrite(g.blob)[1] == 4,
    "Blob.test_iam_permissions": lambda g: g.blob.test_iam_permissions(READ) == READ,
    "Blob.update": lambda g: _blob_changed(g, "update"),
    "Blob.update_storage_class": _of_another_class,
    "Blob.upload_from_string": _uploaded,
}

LOCAL = [
    "Client.bucket",
    "Client.close",
    "Client.generate_signed_post_policy_v4",
    "Client.update_user_agent",
    "Bucket.add_lifecycle_abort_incomplete_multipart_upload_rule",
    "Bucket.add_lifecycle_delete_rule",
    "Bucket.add_lifecycle_set_storage_class_rule",
    "Bucket.blob",
    "Bucket.clear_lifecycle_rules",
    "Bucket.clear_lifecyle_rules",
    "Bucket.configure_website",
    "Bucket.disable_logging",
    "Bucket.disable_website",
    "Bucket.enable_logging",
    "Bucket.get_logging",
    "Bucket.generate_signed_url",
    "Bucket.generate_upload_policy",
    "Bucket.path_helper",
    "Blob.generate_signed_url",
    "Blob.path_helper",
    "Blob.download_as_string",
]
"""What changes or signs without asking; download_as_string is the old name of download_as_bytes."""


@pytest.mark.parametrize("names", CALLS)
def test_the_method_works(given: Given, names: str) -> None:
    """With whatever it needs set up; each call says itself whether it had its effect."""
    assert CALLS[names](given)


def test_no_method_is_left_out() -> None:
    """A new version of the client that can do more fails here, until somebody looks."""
    public = {
        f"{kind.__name__}.{name}"
        for kind in (storage.Client, storage.Bucket, storage.Blob)
        for name, _ in inspect.getmembers(kind, inspect.isfunction)
        if not name.startswith("_")
    }
    assert {name for names in CALLS for name in names.split()} | set(LOCAL) == public
