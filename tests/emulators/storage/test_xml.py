"""The XML API for buckets and copies, as tools that speak S3 ask for it."""

from xml.etree import ElementTree

import pytest
import requests
from google.cloud import storage

from tests.emulators.launch import Emulator

SPACE = "{http://doc.s3.amazonaws.com/2006-03-01}"


def texts(answer: requests.Response, *path: str) -> list[str]:
    """The texts of elements in an answer."""
    assert answer.status_code == 200, answer.text
    return [
        found.text or "" for found in ElementTree.fromstring(answer.content).iterfind("/".join(SPACE + p for p in path))
    ]


@pytest.mark.parametrize("version", ["1", "2"])
def test_a_bucket_is_listed_in_pages(emulator: Emulator, bucket: storage.Bucket, version: str) -> None:
    """With prefix and delimiter, by both versions of the list, nothing twice and nothing left out."""
    for name in ("in/a", "in/b/1", "in/b/2", "in/c", "out"):
        bucket.blob(name).upload_from_string("x")
    query = {"prefix": "in/", "delimiter": "/", "max-keys": "1", "list-type": version}
    keys: list[str] = []
    prefixes: list[str] = []
    for _ in range(5):
        answer = requests.get(f"{emulator.url}/{bucket.name}", params=query, timeout=10)
        keys += texts(answer, "Contents", "Key")
        prefixes += texts(answer, "CommonPrefixes", "Prefix")
        if texts(answer, "IsTruncated") == ["false"]:
            break
        if version == "2":
            (query["continuation-token"],) = texts(answer, "NextContinuationToken")
        else:
            (query["marker"],) = texts(answer, "NextMarker")
    assert (keys, prefixes) == (["in/a", "in/c"], ["in/b/"])


@pytest.mark.parametrize("value", ["", "True"])
def test_versions_are_listed_in_pages(emulator: Emulator, bucket: storage.Bucket, value: str) -> None:
    """Also where a page ends between two generations of one name."""
    bucket.versioning_enabled = True
    bucket.patch()
    written = []
    for name in ("a", "a", "a", "b"):
        blob = bucket.blob(name)
        blob.upload_from_string("x")
        written.append((name, str(blob.generation)))
    query = {"max-keys": "2", "versions": value}
    found: list[tuple[str, str]] = []
    for _ in range(2):
        answer = requests.get(f"{emulator.url}/{bucket.name}", params=query, timeout=10)
        found += zip(texts(answer, "Version", "Key"), texts(answer, "Version", "Generation"), strict=True)
        if texts(answer, "IsTruncated") == ["true"]:
            (query["marker"],) = texts(answer, "NextMarker")
            (query["generation-marker"],) = texts(answer, "NextGenerationMarker")
    assert found == written


def test_a_bucket_is_made_found_and_deleted(emulator: Emulator, client: storage.Client, bucket: storage.Bucket) -> None:
    """What the XML API makes the JSON API knows."""
    name = f"{bucket.name}-xml"
    body = "<CreateBucketConfiguration><LocationConstraint>EU</LocationConstraint></CreateBucketConfiguration>"
    assert requests.put(f"{emulator.url}/{name}", data=body, timeout=10).status_code == 200
    assert client.get_bucket(name).location == "EU"
    assert requests.head(f"{emulator.url}/{name}", timeout=10).headers["x-goog-bucket-location"] == "EU"
    assert name in texts(requests.get(f"{emulator.url}/", timeout=10), "Buckets", "Bucket", "Name")
    assert requests.delete(f"{emulator.url}/{name}", timeout=10).status_code == 204
    assert requests.head(f"{emulator.url}/{name}", timeout=10).status_code == 404


def test_a_body_with_a_document_type_is_refused(emulator: Emulator, bucket: storage.Bucket) -> None:
    """Its entities could grow without bound."""
    document = '<!DOCTYPE a [<!ENTITY b "c">]>'
    body = f"{document}<CreateBucketConfiguration/>"
    assert requests.put(f"{emulator.url}/never-made-by-xml", data=body, timeout=10).status_code == 400
    url = f"{emulator.url}/{bucket.name}/parts"
    begun = requests.post(f"{url}?uploads", timeout=10)
    upload = ElementTree.fromstring(begun.content).findtext("{*}UploadId", "")
    body = f"{document}<CompleteMultipartUpload/>"
    answer = requests.post(url, params={"uploadId": upload}, data=body, timeout=10)
    assert (answer.status_code, b"document type" in answer.content) == (400, True)


@pytest.mark.parametrize(("directive", "kind"), [("COPY", "text/csv"), ("REPLACE", "text/plain")])
def test_an_object_is_copied(emulator: Emulator, bucket: storage.Bucket, directive: str, kind: str) -> None:
    """With the source's metadata or the request's own; preconditions hold on both ends."""
    source = bucket.blob("a b")
    source.upload_from_string("text", content_type="text/csv")
    headers = {
        "x-goog-copy-source": f"/{bucket.name}/a%20b",
        "x-goog-metadata-directive": directive,
        "x-goog-copy-source-if-generation-match": str(source.generation),
        "x-goog-if-generation-match": "0",
        "content-type": "text/plain",
    }
    url = f"{emulator.url}/{bucket.name}/copy"
    answer = requests.put(url, headers=headers, timeout=10)
    assert (answer.status_code, b"CopyObjectResult" in answer.content) == (200, True)
    copied = bucket.get_blob("copy")
    assert (copied.download_as_bytes(), copied.content_type) == (b"text", kind)
    assert requests.put(url, headers=headers, timeout=10).status_code == 412
