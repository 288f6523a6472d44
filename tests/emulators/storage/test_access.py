"""Policies, lists, keys and signed URLs: kept and shown as the service would; nobody is refused for lack of a role."""

import datetime
from collections.abc import Callable
from pathlib import Path

import pytest
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from google.api_core.exceptions import BadRequest, PreconditionFailed
from google.cloud import storage
from google.oauth2 import service_account

from tests.emulators.launch import Emulator
from tests.emulators.storage.conftest import Connect


def test_an_iam_policy_is_changed_by_compare_and_set(bucket: storage.Bucket) -> None:
    """The etag of the policy guards it, as in the service."""
    policy = bucket.get_iam_policy(requested_policy_version=3)
    policy.bindings.append({"role": "roles/storage.objectViewer", "members": {"allUsers"}})
    bucket.set_iam_policy(policy)
    assert policy.bindings[-1] in bucket.get_iam_policy(requested_policy_version=3).bindings
    with pytest.raises(PreconditionFailed):
        bucket.set_iam_policy(policy)
    assert bucket.test_iam_permissions(["storage.objects.get"]) == ["storage.objects.get"]


def test_access_control_lists_are_kept(bucket: storage.Bucket) -> None:
    """Of buckets, of objects, and the default for new objects."""
    bucket.default_object_acl.all_authenticated().grant_read()
    bucket.default_object_acl.save()
    blob = bucket.blob("object")
    blob.upload_from_string("x")
    blob.make_public()
    granted = {(entry["entity"], entry["role"]) for entry in bucket.blob("object").acl}
    assert {("allUsers", "READER"), ("allAuthenticatedUsers", "READER")} <= granted
    bucket.acl.user("a@example.com").grant_owner()
    bucket.acl.save()
    assert {"entity": "user-a@example.com", "role": "OWNER"} in list(bucket.acl)


def test_lists_are_refused_under_uniform_access(bucket: storage.Bucket) -> None:
    """As in the service, so that code which relies on lists is found out here."""
    bucket.iam_configuration.uniform_bucket_level_access_enabled = True
    bucket.patch()
    with pytest.raises(BadRequest, match="uniform"):
        list(bucket.acl)


def test_hmac_keys_live_and_die(client: storage.Client) -> None:
    """Only an inactive key can be deleted."""
    key, secret = client.create_hmac_key("someone@test-project.iam.gserviceaccount.com")
    assert (len(secret), key.state) == (40, "ACTIVE")
    with pytest.raises(BadRequest, match="INACTIVE"):
        key.delete()
    key.state = "INACTIVE"
    key.update()
    key.delete()
    assert key.access_id not in [one.access_id for one in client.list_hmac_keys()]


def test_the_service_agent_has_a_name(client: storage.Client) -> None:
    """Terraform and set-up scripts ask for it, to let it publish notifications."""
    assert client.get_service_account_email().endswith("@gs-project-accounts.iam.gserviceaccount.com")


Sign = Callable[..., str]


@pytest.fixture
def sign() -> Sign:
    """Signs URLs with a key of nobody's, by Google's own code."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    info = {
        "client_email": "a@test-project.iam.gserviceaccount.com",
        "private_key": pem,
        "token_uri": "http://127.0.0.1/",
    }
    credentials = service_account.Credentials.from_service_account_info(info)  # type: ignore[no-untyped-call]

    def url(blob: storage.Blob, method: str, version: str = "v4", **more: object) -> str:
        endpoint = blob.client._connection.API_BASE_URL
        life = datetime.timedelta(minutes=5)
        return str(
            blob.generate_signed_url(
                life, api_access_endpoint=endpoint, method=method, version=version, credentials=credentials, **more
            )
        )

    return url


@pytest.mark.parametrize("version", ["v2", "v4"])
def test_a_signed_url_writes_reads_and_deletes(bucket: storage.Bucket, sign: Sign, version: str) -> None:
    """Whoever holds the URL needs no client and no credentials."""
    blob = bucket.blob("dir/ö b+j?ect")
    put = requests.put(
        sign(blob, "PUT", version, content_type="text/plain"),
        data=b"hello",
        headers={"content-type": "text/plain"},
        timeout=10,
    )
    assert put.status_code == 200
    assert blob.download_as_text() == "hello"
    answer = requests.get(sign(blob, "GET", version), headers={"range": "bytes=1-2"}, timeout=10)
    assert (answer.status_code, answer.content, answer.headers["content-type"]) == (206, b"el", "text/plain")
    assert requests.delete(sign(blob, "DELETE", version), timeout=10).status_code == 204
    gone = requests.get(sign(blob, "GET", version), timeout=10)
    assert (gone.status_code, "<Code>NoSuchKey</Code>" in gone.text) == (404, True)


def test_a_signed_url_begins_a_resumable_upload(bucket: storage.Bucket, sign: Sign) -> None:
    """How a browser drops a large file."""
    blob = bucket.blob("large")
    url = sign(blob, "RESUMABLE")
    begun = requests.post(url, headers={"x-goog-resumable": "start", "content-length": "0"}, timeout=10)
    assert begun.status_code == 201
    assert requests.put(begun.headers["location"], data=b"x" * 1000, timeout=10).status_code == 200
    assert bucket.get_blob("large").size == 1000


def test_a_signed_url_ends_with_its_time(log: Path, connect: Connect, sign: Sign) -> None:
    """By the emulator's clock, so that no test must wait."""
    with Emulator("storage", log) as own:
        blob = connect(own).create_bucket("signed").blob("object")
        blob.upload_from_string("x")
        url = sign(blob, "GET")
        assert requests.get(url, timeout=10).status_code == 200
        own.control("POST", "/clock", {"advance_seconds": 301})
        expired = requests.get(url, timeout=10)
    assert (expired.status_code, "<Code>ExpiredToken</Code>" in expired.text) == (400, True)
