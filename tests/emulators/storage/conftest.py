"""One Cloud Storage emulator for all of these tests, the unmodified client, and the real service when asked."""

import inspect
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, suppress
from pathlib import Path

import pytest
from google.api_core.exceptions import NotFound
from google.cloud import storage

from tests import cloud
from tests.emulators.launch import Emulator

Connect = Callable[[Emulator], storage.Client]

_OURS = "ours"
_CLOUD = pytest.param("cloud", marks=pytest.mark.cloud)
_EMULATOR_ONLY = {"emulator", "connect", "fault", "log", "nested", "soft"}  # what the real service does not have


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One suite over both: each test that asks for nothing but a client or a bucket also runs against the cloud."""
    if "place" in metafunc.fixturenames:
        asked = set(inspect.signature(metafunc.function).parameters)
        places = [_OURS] if asked & _EMULATOR_ONLY else [_OURS, _CLOUD]
        metafunc.parametrize("place", places, indirect=True)


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
def place(request: pytest.FixtureRequest) -> str:
    """Where the test's client leads: `ours`, or `cloud` for the real Cloud Storage."""
    return str(request.param)


@pytest.fixture
def client(place: str, request: pytest.FixtureRequest) -> Iterator[storage.Client]:
    """A client of the shared emulator, or of the real service."""
    if place == _OURS:
        connect: Connect = request.getfixturevalue("connect")
        yield connect(request.getfixturevalue("emulator"))
        return
    with storage.Client(project=cloud.project()) as client:
        yield client


@pytest.fixture
def bucket(client: storage.Client, place: str) -> Iterator[storage.Bucket]:
    """A new, empty bucket; of the real service it is deleted with all that is in it, unless the test has done so."""
    made = client.create_bucket(f"test-{uuid.uuid4().hex}")
    yield made
    if place != _OURS:
        with suppress(NotFound):
            for blob in client.list_blobs(made, versions=True):
                blob.delete()
            made.delete()


@pytest.fixture
def fault(emulator: Emulator) -> Callable[..., AbstractContextManager[None]]:
    """Orders a fault in a `with` block, and proves at its end that the fault was consumed."""
    return emulator.fault


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Where an emulator that a test starts for itself writes its errors."""
    return tmp_path / "errors.log"
