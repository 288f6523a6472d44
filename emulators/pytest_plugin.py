"""Google Cloud on this machine for any project's tests: `pytest_plugins = ["emulators.pytest_plugin"]`.

    def test_a_file_is_copied(storage_emulator):
        client = storage.Client(project="test-project")  # told where to go by STORAGE_EMULATOR_HOST

Each emulator starts when it is first asked for, in memory, and lasts until the end of the test session.
"""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from emulators.launch import Emulator
from emulators.ports import free_port

PROJECT = "test-project"

# What each service's clients read; for Vertex AI, whose SDK reads nothing, a name of our own.
VARIABLES = {
    "storage": "STORAGE_EMULATOR_HOST",
    "pubsub": "PUBSUB_EMULATOR_HOST",
    "bigquery": "BIGQUERY_EMULATOR_HOST",
    "vertex": "VERTEX_EMULATOR_HOST",
}


class GoogleCloud:
    """The emulators, each started when it is first asked for. Use it as a context; it restores the environment."""

    project = PROJECT

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running: dict[str, Emulator] = {}
        self._end = ExitStack()
        self._before = dict(os.environ)
        self._told = {"GOOGLE_CLOUD_PROJECT": self.project}
        # Known before any of them runs, because they call each other: notifications, loads, logs of requests.
        self._ports = {name: free_port() for name in VARIABLES}

    def __enter__(self) -> "GoogleCloud":
        os.environ.update(self._told)
        return self

    def __exit__(self, *_: object) -> None:
        self._end.close()
        for name in self._told:
            if name in self._before:
                os.environ[name] = self._before[name]
            else:
                os.environ.pop(name, None)

    @property
    def storage(self) -> Emulator:
        """Cloud Storage."""
        return self._started("storage")

    @property
    def pubsub(self) -> Emulator:
        """Pub/Sub."""
        return self._started("pubsub")

    @property
    def bigquery(self) -> Emulator:
        """BigQuery."""
        return self._started("bigquery")

    @property
    def vertex(self) -> Emulator:
        """Vertex AI. The table of images is that of DROPFORGE_VERTEX_IMAGES, if set before it is first asked for."""
        return self._started("vertex")

    def reset(self) -> None:
        """Forget all that the running emulators hold, and their faults."""
        for emulator in self._running.values():
            emulator.control("POST", "/reset").raise_for_status()

    def _started(self, name: str) -> Emulator:
        if name not in self._running:
            log = self._folder / f"{name}.log"
            authority = {"DROPFORGE_EMULATORS_AUTHORITY": str(self._folder / "authority")}
            emulator = Emulator(name, log, None, self._ports[name], **self._addresses(), **authority)
            self._running[name] = self._end.enter_context(emulator)
            self._told |= {VARIABLES[name]: emulator.url, **emulator.variables}
            os.environ.update(self._told)
        return self._running[name]

    def _addresses(self) -> dict[str, str]:
        """Where every emulator is or will be."""
        return {
            VARIABLES[name]: f"127.0.0.1:{port}" if name == "pubsub" else f"http://127.0.0.1:{port}"
            for name, port in self._ports.items()
        }


@pytest.fixture(scope="session")
def google_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GoogleCloud]:
    """All emulators; `google_cloud.storage` and the others start at first use."""
    with GoogleCloud(tmp_path_factory.mktemp("google-cloud")) as cloud:
        yield cloud


@pytest.fixture(scope="session")
def storage_emulator(google_cloud: GoogleCloud) -> Emulator:
    """Cloud Storage, with STORAGE_EMULATOR_HOST set."""
    return google_cloud.storage


@pytest.fixture(scope="session")
def pubsub_emulator(google_cloud: GoogleCloud) -> Emulator:
    """Pub/Sub, with PUBSUB_EMULATOR_HOST set."""
    return google_cloud.pubsub


@pytest.fixture(scope="session")
def bigquery_emulator(google_cloud: GoogleCloud) -> Emulator:
    """BigQuery, with BIGQUERY_EMULATOR_HOST set."""
    return google_cloud.bigquery


@pytest.fixture(scope="session")
def vertex_emulator(google_cloud: GoogleCloud) -> Emulator:
    """Vertex AI, with VERTEX_EMULATOR_HOST set to what `api_endpoint` takes."""
    return google_cloud.vertex
