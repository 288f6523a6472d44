"""One BigQuery emulator for the whole module, and the unmodified client."""

from collections.abc import Iterator

import pytest
from google.cloud import bigquery

from tests.emulators.launch import Emulator, anonymous


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """An emulator in memory, shared by tests that use their own datasets."""
    with Emulator("bigquery", errors=tmp_path_factory.mktemp("bigquery") / "errors.log") as running:
        yield running


@pytest.fixture
def client(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Iterator[bigquery.Client]:
    """Google's client, told where to go by its own environment variable and nothing else."""
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", emulator.url)
    with bigquery.Client(project="test-project", credentials=anonymous()) as client:
        yield client


@pytest.fixture
def dataset(client: bigquery.Client, request: pytest.FixtureRequest) -> str:
    """A fresh dataset named after the test."""
    name = f"test-project.{request.node.name.partition('[')[0]}"
    client.create_dataset(name)
    return name
