"""`Objects`: the in-memory twin and Cloud Storage keep the same contract."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from google.cloud.storage import Client

from dropforge.contracts.errors import AlreadyExists, DropforgeError, GenerationMismatch, NotFound
from dropforge.core.ports import Objects
from dropforge.core.twins import MemoryObjects
from dropforge.gcp.storage import Bucket
from tests.emulators.launch import Emulator


@pytest.fixture(params=["twin", "emulator"])
def objects(request: pytest.FixtureRequest) -> Iterator[Objects]:
    """An empty bucket."""
    if request.param == "twin":
        yield MemoryObjects()
        return
    name = request.getfixturevalue("bucket_name")
    with Client(project="test-project") as client:
        yield Bucket(client, name)


def test_what_was_created_is_read_with_its_generation(objects: Objects) -> None:
    """The generation is what later steps pin, so the write must return the one that reading finds."""
    generation = objects.create("a/b.json", b"{}", {"status": "accepted"})
    assert objects.read("a/b.json") == (b"{}", generation)
    info = objects.stat("a/b.json")
    assert (info.name, info.generation, info.size, dict(info.metadata)) == (
        "a/b.json",
        generation,
        2,
        {"status": "accepted"},
    )
    assert info.updated.startswith("20")


@pytest.mark.parametrize("content", [b"first", b"second"])
def test_create_leaves_what_is_there(objects: Objects, content: bytes) -> None:
    """The first writer's word stands, even against another writer of the very same bytes."""
    objects.create("one", b"first")
    with pytest.raises(AlreadyExists):
        objects.create("one", content)
    assert objects.read("one")[0] == b"first"


def test_replace_is_compare_and_set(objects: Objects) -> None:
    """Only the writer that saw the last generation may write the next."""
    first = objects.replace("pointer", b"1", 0)
    second = objects.replace("pointer", b"2", first, {"by": "test"})
    for stale in (0, first):
        with pytest.raises(GenerationMismatch):
            objects.replace("pointer", b"3", stale)
    assert objects.read("pointer") == (b"2", second)


def test_an_old_generation_stays_readable(objects: Objects, scratch: Path) -> None:
    """Lineage names generations, and must find what it names after an overwrite."""
    first = objects.create("model", b"old")
    objects.replace("model", b"newer", first)
    assert objects.read("model", first) == (b"old", first)
    assert objects.stat("model", first).size == 3
    assert objects.download("model", scratch, first) == first
    assert scratch.read_bytes() == b"old"


def test_what_is_not_there_is_not_found(objects: Objects, scratch: Path) -> None:
    """Absence is one error whichever way one asks, for a name as for a generation."""
    objects.create("there", b"")
    for name, generation in (("absent", None), ("there", 12345)):
        for ask in (objects.stat, objects.read):
            with pytest.raises(NotFound):
                ask(name, generation)
        with pytest.raises(NotFound):
            objects.download(name, scratch, generation)


def test_a_large_file_goes_up_and_comes_down(objects: Objects, tmp_path: Path) -> None:
    """Over 8 MiB the client uploads in resumable chunks, whose precondition other emulators ignore."""
    content = bytes(range(256)) * (9 * 4096)
    (tmp_path / "up").write_bytes(content)
    generation = objects.create("big", tmp_path / "up", {"rows": "7"})
    assert objects.download("big", tmp_path / "down") == generation
    assert (tmp_path / "down").read_bytes() == content
    assert dict(objects.stat("big").metadata) == {"rows": "7"}
    with pytest.raises(AlreadyExists):
        objects.create("big", tmp_path / "up")


def test_a_listing_tells_all_below_a_prefix_in_order(objects: Objects) -> None:
    """The ledger is one listing: no verdict may be missing from it, nor its metadata."""
    for name in ("v/b/2.json", "v/a/1.json", "w/x.json", "v/b/1.json"):
        objects.create(name, name.encode(), {"name": name})
    listed = list(objects.list("v/"))
    assert [info.name for info in listed] == ["v/a/1.json", "v/b/1.json", "v/b/2.json"]
    assert all(info.metadata == {"name": info.name} and info.size == len(info.name) for info in listed)
    assert list(objects.list("nothing/")) == []


@pytest.mark.parametrize("name", ["flights/Flüge 2013 #1?.csv", "a/../b", "dir", "dir/file", "%2Fodd%20name"])
def test_any_legal_name_is_kept(objects: Objects, name: str) -> None:
    """People drop files under any name."""
    generation = objects.create(name, b"x")
    assert objects.read(name) == (b"x", generation)
    assert [info.name for info in objects.list("")] == [name]


def test_of_racing_creators_one_wins(objects: Objects) -> None:
    """Two deliveries at once must have one effect; equal bytes must not make two winners."""

    def attempt(_: int) -> int | None:
        try:
            return objects.create("race", b"same")
        except AlreadyExists:
            return None

    with ThreadPoolExecutor(8) as pool:
        won = [generation for generation in pool.map(attempt, range(8)) if generation]
    assert won == [objects.stat("race").generation]


@pytest.mark.parametrize("name", ["small", "large"])
def test_a_create_whose_answer_was_lost_is_a_success(
    bucket_name: str, storage_emulator: Emulator, tmp_path: Path, name: str
) -> None:
    """The client's own retry meets its own write; calling that AlreadyExists would hide who wrote."""
    (tmp_path / "large").write_bytes(b"x" * (9 << 20))
    fault = _lose_answers(
        storage_emulator, 1, after=int(name == "large")
    )  # a large one begins with a call that makes the session
    with Client(project="test-project") as client:
        bucket = Bucket(client, bucket_name)
        generation = bucket.create(name, b"mine" if name == "small" else tmp_path / "large")
        assert bucket.stat(name).generation == generation
    assert storage_emulator.control("GET", f"/faults/{fault}").json()["consumed"] == 1


def test_a_replace_whose_answer_was_lost_is_a_success(bucket_name: str, storage_emulator: Emulator) -> None:
    """Otherwise a publisher that did move the pointer would believe that it lost the race."""
    with Client(project="test-project") as client:
        bucket = Bucket(client, bucket_name)
        first = bucket.create("pointer", b"1")
        fault = _lose_answers(storage_emulator, 1)
        second = bucket.replace("pointer", b"2", first)
        assert bucket.read("pointer") == (b"2", second)
    assert storage_emulator.control("GET", f"/faults/{fault}").json()["consumed"] == 1


def test_a_bucket_that_is_not_there_says_so(bucket_name: str) -> None:
    """A wrong setting must read as one, with the name that was asked for."""
    with Client(project="test-project") as client, pytest.raises(DropforgeError, match="not-a-bucket"):
        Bucket(client, "not-a-bucket" + bucket_name).create("x", b"")


def _lose_answers(emulator: Emulator, times: int, after: int = 0) -> str:
    fault = {"operation": "storage.objects.insert", "action": "lose_answer", "times": times, "after": after}
    answer = emulator.control("POST", "/faults", fault).json()
    return str(answer["id"])
