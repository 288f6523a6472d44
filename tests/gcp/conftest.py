"""Each port over its in-memory twin and over Google's client with an emulator, one process for the whole session."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol
from uuid import uuid4

import pytest

from tests.emulators.launch import Emulator


class Start(Protocol):
    """Starts an emulator that lives as long as the session."""

    def __call__(self, name: str, /, **variables: str) -> Emulator:
        """`python -m emulators NAME` with further environment variables."""


@pytest.fixture(scope="session")
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """The means to start emulators, which all end with the session."""
    with ExitStack() as stack:

        def run(name: str, /, **variables: str) -> Emulator:
            running = Emulator(name, tmp_path_factory.mktemp(name) / "errors.log", None, 0, **variables)
            return stack.enter_context(running)

        yield run


@pytest.fixture(scope="session")
def storage_emulator(start: Start) -> Emulator:
    """Cloud Storage."""
    return start("storage")


@pytest.fixture
def bucket_name(storage_emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> str:
    """A fresh bucket with versioning, as Terraform makes the state bucket; the clients are told where it is."""
    from google.cloud.storage import Client

    monkeypatch.setenv("STORAGE_EMULATOR_HOST", storage_emulator.url)
    name = f"bucket-{uuid4().hex[:12]}"
    with Client(project="test-project") as client:
        bucket = client.bucket(name)
        bucket.versioning_enabled = True
        client.create_bucket(bucket)
    return name


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    """A file's place."""
    return tmp_path / "content"
