"""Folders of buckets with a hierarchical namespace, and managed folders: what gcloud and the control client ask for."""

from typing import Any

import pytest
import requests
from google.cloud import storage

from tests.emulators.launch import Emulator

NESTED = {"hierarchicalNamespace": {"enabled": True}}
UNIFORM = {"iamConfiguration": {"uniformBucketLevelAccess": {"enabled": True}}}


class Api:
    """The JSON API below one bucket; google-cloud-storage has no methods for folders."""

    def __init__(self, emulator: Emulator, bucket: str) -> None:
        self._url = f"{emulator.url}/storage/v1/b/{bucket}"

    def __call__(self, verb: str, path: str, body: Any = None, expected: int = 200, **query: str) -> Any:
        """The JSON of an answer of the expected status."""
        answer = requests.request(verb, f"{self._url}/{path}", params=query, json=body, timeout=10)
        assert answer.status_code == expected, answer.text
        return answer.json() if answer.content else None


@pytest.fixture
def nested(emulator: Emulator, client: storage.Client, bucket: storage.Bucket) -> Api:
    """A bucket with folders."""
    name = f"{bucket.name}-hns"
    body = {"name": name, **NESTED, **UNIFORM}
    answer = requests.post(f"{emulator.url}/storage/v1/b", params={"project": client.project}, json=body, timeout=10)
    assert answer.status_code == 200
    return Api(emulator, name)


def names(listed: Any) -> list[str]:
    """Of a list of folders."""
    return [each["name"] for each in listed["items"]]


def test_an_objects_folders_exist(nested: Api, client: storage.Client) -> None:
    """Writing an object makes them, listing gives them in pages, and they stay when the object goes."""
    blob = client.bucket(nested("GET", "storageLayout")["bucket"]).blob("a/b/c.csv")
    blob.upload_from_string("x")
    blob.delete()
    assert names(nested("GET", "folders")) == ["a/", "a/b/"]
    first = nested("GET", "folders", pageSize="1")
    assert names(first) + names(nested("GET", "folders", pageToken=first["nextPageToken"])) == ["a/", "a/b/"]
    assert names(nested("GET", "folders", delimiter="/")) == ["a/"]


def test_a_folder_needs_its_parent_unless_asked_to_make_it(nested: Api) -> None:
    """And exists once."""
    nested("POST", "folders", {"name": "x/y/"}, expected=404)
    assert nested("POST", "folders", {"name": "x/y"}, recursive="true")["name"] == "x/y/"
    nested("POST", "folders", {"name": "x/"}, expected=409)
    nested("DELETE", "folders/x%2F", expected=409)
    nested("DELETE", "folders/x%2Fy%2F", expected=204)
    nested("GET", "folders/x%2Fy%2F", expected=404)


def test_a_folder_is_renamed_with_all_that_is_in_it(nested: Api, client: storage.Client) -> None:
    """In one step: generations and bytes stay; the operation is done."""
    bucket = client.bucket(nested("GET", "storageLayout")["bucket"])
    blob = bucket.blob("old/deep/f")
    blob.upload_from_string("text")
    operation = nested("POST", "folders/old%2F/renameTo/folders/new%2F")
    assert (operation["done"], operation["response"]["name"]) == (True, "new/")
    found = bucket.get_blob("new/deep/f")
    assert (found.generation, found.download_as_bytes()) == (blob.generation, b"text")
    assert (names(nested("GET", "folders")), bucket.get_blob("old/deep/f")) == (["new/", "new/deep/"], None)
    number = operation["name"].rpartition("/")[2]
    assert nested("GET", f"operations/{number}") == operation
    assert [each["name"] for each in nested("GET", "operations")["operations"]] == [operation["name"]]


def test_a_folder_is_deleted_with_all_that_is_in_it(nested: Api, client: storage.Client) -> None:
    """What lies beside it stays."""
    bucket = client.bucket(nested("GET", "storageLayout")["bucket"])
    for name in ("gone/1", "gone/deep/2", "gone-not/3"):
        bucket.blob(name).upload_from_string("x")
    assert nested("POST", "folders/gone%2F/deleteRecursive")["done"]
    assert [blob.name for blob in bucket.list_blobs()] == ["gone-not/3"]
    assert names(nested("GET", "folders")) == ["gone-not/"]


def test_what_comes_back_has_its_folders_again(nested: Api, client: storage.Client) -> None:
    """They went when the folder was deleted with all that was in it."""
    bucket = client.get_bucket(nested("GET", "storageLayout")["bucket"])
    bucket.soft_delete_policy.retention_duration_seconds = 7 * 86400
    bucket.patch()
    for name in ("one/deep/f", "many/deep/f"):
        blob = bucket.blob(name)
        blob.upload_from_string("text")
        nested("POST", f"folders/{name.partition('/')[0]}%2F/deleteRecursive")
        if name.startswith("one/"):
            bucket.restore_blob(name, generation=blob.generation)
        else:
            nested("POST", "o/bulkRestore", {"matchGlobs": [name]})
    assert [found.name for found in bucket.list_blobs()] == ["many/deep/f", "one/deep/f"]
    assert names(nested("GET", "folders")) == ["many/", "many/deep/", "one/", "one/deep/"]


def test_a_flat_bucket_has_no_folders(emulator: Emulator, bucket: storage.Bucket) -> None:
    """And says why."""
    error = Api(emulator, bucket.name)("POST", "folders", {"name": "a/"}, expected=409)
    assert "hierarchical namespace" in error["error"]["message"]


def test_managed_folders_have_policies_of_their_own(nested: Api) -> None:
    """Kept with an etag that guards them; deleting one that is not empty has to be meant."""
    nested("POST", "managedFolders", {"name": "team/a/"})
    policy = nested("GET", "managedFolders/team%2Fa%2F/iam")
    binding = {"role": "roles/storage.objectViewer", "members": ["user:a@example.com"]}
    kept = nested("PUT", "managedFolders/team%2Fa%2F/iam", policy | {"bindings": [binding]})
    assert nested("GET", "managedFolders/team%2Fa%2F/iam") == kept
    nested("PUT", "managedFolders/team%2Fa%2F/iam", policy, expected=412)
    nested("POST", "managedFolders", {"name": "team/a/b/"})
    assert names(nested("GET", "managedFolders", prefix="team/")) == ["team/a/", "team/a/b/"]
    nested("DELETE", "managedFolders/team%2Fa%2F", expected=409)
    nested("DELETE", "managedFolders/team%2Fa%2F", expected=204, allowNonEmpty="true")
    assert names(nested("GET", "managedFolders")) == ["team/a/b/"]


def test_managed_folders_need_uniform_access(emulator: Emulator, bucket: storage.Bucket) -> None:
    """As with the service."""
    Api(emulator, bucket.name)("POST", "managedFolders", {"name": "a/"}, expected=400)
