"""One Cloud Storage emulator for all of these tests, and the unmodified client."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from google.cloud import storage

from tests.emulators.launch import Emulator

Connect = Callable[[Emulator], storage.Client]


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """An emulator in memory, shared by tests that use their own buckets."""
    with Emulator("storage", errors=tmp_path_factory.mktemp("storage") / "errors.log") as running:
        yield running


@pytest.fixture
def connect(monkeypatch: pytest.MonkeyPatch) -> Iterator[Connect]:
    """Makes Google's client, told where to go by its own environment variable and nothing else."""
    made: list[storage.Client] = []

    def client_of(running: Emulator) -> storage.Client:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", running.url)
        made.append(storage.Client(project="test-project"))
        return made[-1]

    yield client_of
    for client in made:
        client.close()


@pytest.fixture
def client(emulator: Emulator, connect: Connect) -> storage.Client:
    """A client of the shared emulator."""
    return connect(emulator)


@pytest.fixture
def bucket(client: storage.Client) -> storage.Bucket:
    """A new, empty bucket."""
    return client.create_bucket(f"test-{uuid.uuid4().hex}")


@pytest.fixture
def fault(emulator: Emulator) -> Callable[..., AbstractContextManager[None]]:
    """Orders a fault in a `with` block, and proves at its end that the fault was consumed."""
    return emulator.fault


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Where an emulator that a test starts for itself writes its errors."""
    return tmp_path / "errors.log"
