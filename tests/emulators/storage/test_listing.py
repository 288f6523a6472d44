"""Listing: order, folders, pages, globs, offsets."""

import pytest
from google.api_core.exceptions import BadRequest, NotFound
from google.cloud import storage

from tests.emulators.launch import Emulator

NAMES = ["a", "a/1", "a/2", "a/b/3", "b/x.csv", "b/y.json", "c", "d/", "d/z", "é/1"]


@pytest.fixture
def filled(bucket: storage.Bucket) -> storage.Bucket:
    """A bucket with `NAMES`."""
    for name in NAMES:
        bucket.blob(name).upload_from_string(name)
    return bucket


@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_pages_join_to_the_same_list(filled: storage.Bucket, size: int) -> None:
    """Whatever the page size: every name once, prefixes once, in order."""
    listed = filled.list_blobs(delimiter="/", page_size=size)
    assert [blob.name for blob in listed] == ["a", "c"]
    assert listed.prefixes == {"a/", "b/", "d/", "é/"}
    assert [blob.name for blob in filled.list_blobs(page_size=size)] == NAMES


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"prefix": "a"}, ["a", "a/1", "a/2", "a/b/3"]),
        ({"prefix": "a/", "delimiter": "/"}, ["a/1", "a/2"]),
        ({"prefix": "d", "delimiter": "/", "include_trailing_delimiter": True}, ["d/"]),
        ({"start_offset": "a/2", "end_offset": "b/y"}, ["a/2", "a/b/3", "b/x.csv"]),
        ({"match_glob": "*"}, ["a", "c"]),
        ({"match_glob": "**/*.{csv,json}"}, ["b/x.csv", "b/y.json"]),
        ({"match_glob": "[ab]/?"}, ["a/1", "a/2"]),
        ({"match_glob": "**3"}, ["a/b/3"]),
        ({"prefix": "nothing"}, []),
        ({"max_results": 3}, ["a", "a/1", "a/2"]),
        ({"fields": "items(name),nextPageToken", "page_size": 4}, NAMES),
    ],
)
def test_what_is_asked_for_is_listed(filled: storage.Bucket, asked: dict[str, object], expected: list[str]) -> None:
    """Expected values follow from the definitions in the service's reference of objects.list."""
    assert [blob.name for blob in filled.list_blobs(**asked)] == expected


def test_fields_leave_out_what_was_not_asked(filled: storage.Bucket) -> None:
    """A partial answer holds what it was asked for and no more."""
    first = next(iter(filled.list_blobs(fields="items(name,size)")))
    assert first._properties == {"name": "a", "size": "1"}


def test_folders_of_any_size_are_listed_once(bucket: storage.Bucket, emulator: Emulator) -> None:
    """A thousand and more objects of a folder, longer than any inner page, are one prefix."""
    names = [
        f"{folder}/{number:04}"
        for folder in ("big", "small", "vast")
        for number in range(1100 if folder != "small" else 2)
    ]
    objects = [{"bucket": bucket.name, "name": name, "text": ""} for name in names]
    assert emulator.control("POST", "/seed", {"objects": objects}).status_code == 200
    for size in (1, 2, 1000):
        listed = bucket.list_blobs(delimiter="/", page_size=size)
        assert list(listed) == []
        assert listed.prefixes == {"big/", "small/", "vast/"}
    assert [blob.name for blob in bucket.list_blobs(page_size=900)] == names


def test_a_bucket_that_is_not_there_is_not_found(client: storage.Client) -> None:
    """An empty list would hide a misspelt name."""
    with pytest.raises(NotFound):
        list(client.list_blobs("no-such-bucket-here"))


def test_an_unreadable_glob_is_refused(bucket: storage.Bucket) -> None:
    """An open brace is a mistake, not a literal."""
    with pytest.raises(BadRequest, match="unclosed"):
        list(bucket.list_blobs(match_glob="a{b"))
