"""Pub/Sub with BigQuery and Cloud Storage beside it, each a process, and the official clients of all three."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from google.cloud import bigquery, storage

from emulators.ports import free_port
from tests.emulators.launch import Emulator, anonymous
from tests.emulators.pubsub.bench import PATIENCE, PROJECT, Bench


@pytest.fixture(scope="session")
def bigquery_emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """BigQuery."""
    with Emulator("bigquery", errors=tmp_path_factory.mktemp("bigquery") / "errors.txt") as running:
        yield running


@pytest.fixture(scope="session")
def storage_emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """Cloud Storage."""
    with Emulator("storage", errors=tmp_path_factory.mktemp("storage") / "errors.txt") as running:
        yield running


class Exports:
    """A Pub/Sub emulator of the test's own that is told where to write; it can die and start again."""

    def __init__(self, folder: Path, **addresses: str) -> None:
        self._folder = folder
        self._addresses = addresses
        self._port = free_port()

    def start(self) -> Bench:
        """Clients of the next process over the same folder."""
        errors, data = self._folder / "errors.txt", self._folder / "data"
        self.pubsub = Emulator("pubsub", errors, data, self._port, **self._addresses).__enter__()
        self.bench = Bench(self.pubsub.url)
        return self.bench

    def kill(self) -> None:
        """The end of it, as a power cut would."""
        self.bench.close()
        self.pubsub.kill()

    def state(self, subscription: str, field: str) -> tuple[str, str]:
        """The states of a subscription and of its export."""
        config = self.bench.subscriber.get_subscription(subscription=subscription)
        return config.state.name, getattr(config, field).state.name


@pytest.fixture(scope="session")
def shared(
    tmp_path_factory: pytest.TempPathFactory, bigquery_emulator: Emulator, storage_emulator: Emulator
) -> Iterator[Exports]:
    """One for tests that neither kill it nor count what it holds."""
    addresses = {"BIGQUERY_EMULATOR_HOST": bigquery_emulator.url, "STORAGE_EMULATOR_HOST": storage_emulator.url}
    made = Exports(tmp_path_factory.mktemp("exports"), **addresses)
    made.start()
    yield made
    made.kill()


@pytest.fixture
def exports(tmp_path: Path, bigquery_emulator: Emulator, storage_emulator: Emulator) -> Iterator[Exports]:
    """One of the test's own, with both services beside it."""
    addresses = {"BIGQUERY_EMULATOR_HOST": bigquery_emulator.url, "STORAGE_EMULATOR_HOST": storage_emulator.url}
    made = Exports(tmp_path, **addresses)
    made.start()
    yield made
    made.kill()


@pytest.fixture
def tables(bigquery_emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Iterator[bigquery.Client]:
    """BigQuery's client."""
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", bigquery_emulator.url)
    with bigquery.Client(project=PROJECT, credentials=anonymous()) as client:
        yield client


@pytest.fixture
def bucket(storage_emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Iterator[storage.Bucket]:
    """A new bucket, by Cloud Storage's client."""
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", storage_emulator.url)
    with storage.Client(project=PROJECT) as client:
        yield client.create_bucket(f"exports-{uuid4().hex}")


def eventually[Found](look: Callable[[], Found], wanted: Callable[[Found], bool] = bool) -> Found:
    """What `look` finds once it is as wanted, or the last it found when that does not come."""
    until = time.monotonic() + PATIENCE
    while not wanted(found := look()) and time.monotonic() < until:
        time.sleep(0.02)
    return found
