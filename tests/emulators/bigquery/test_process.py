"""The process: durability, faults, and that nothing is left behind."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from google.api_core.exceptions import Forbidden
from google.api_core.retry import Retry
from google.cloud import bigquery

from tests.emulators.launch import Emulator, anonymous


def gone(pid: int) -> bool:
    """Whether the process ends within ten seconds."""
    for _ in range(100):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return True
        if state == "Z":
            return True
        time.sleep(0.1)
    return False


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Emulator]:
    """An emulator that a test may break."""
    with Emulator("bigquery", errors=tmp_path / "errors.log", data=tmp_path / "data") as running:
        yield running


def connect(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> bigquery.Client:
    """The unmodified client."""
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", emulator.url)
    return bigquery.Client(project="test-project", credentials=anonymous())


def test_what_was_acknowledged_survives_kill_9(own: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A restarted emulator continues where the last one died, and its adopted process died with it."""
    child = own.control("GET", "/health").json()["pid"]
    with connect(own, monkeypatch) as client:
        client.query_and_wait("CREATE SCHEMA d; CREATE TABLE d.t AS SELECT 7 AS id")
    own.kill()
    assert gone(child)
    with (
        Emulator("bigquery", tmp_path / "errors.log", tmp_path / "data") as again,
        connect(again, monkeypatch) as client,
    ):
        assert [row.id for row in client.query_and_wait("SELECT id FROM d.t")] == [7]


def test_an_adopted_process_that_dies_takes_the_emulator_with_it(own: Emulator, tmp_path: Path) -> None:
    """Half an emulator would answer with errors that the service does not have."""
    os.kill(own.control("GET", "/health").json()["pid"], signal.SIGKILL)
    own.process.wait(timeout=10)
    assert "local-bigquery ended with status -9" in (tmp_path / "errors.log").read_text()


def test_a_fault_is_suffered_once_and_says_so(emulator: Emulator, client: bigquery.Client) -> None:
    """A fault test proves its point only when the fault was consumed."""
    ordered = {"id": "f1", "operation": "bigquery.datasets.insert", "action": "error", "status": 403}
    assert emulator.control("POST", "/faults", ordered).status_code == 201
    with pytest.raises(Forbidden, match="f1"):
        client.create_dataset("faulted", retry=Retry(predicate=lambda _: False))
    assert emulator.control("GET", "/faults/f1").json()["consumed"] == 1
    client.create_dataset("faulted")


def test_a_lost_answer_means_done_and_untold(emulator: Emulator, client: bigquery.Client) -> None:
    """The client repeats the call, and must then meet its own work."""
    emulator.control("POST", "/faults", {"id": "f2", "operation": "bigquery.datasets.insert", "action": "lose_answer"})
    client.create_dataset("untold", exists_ok=True)
    assert emulator.control("GET", "/faults/f2").json()["consumed"] == 1
    assert client.get_dataset("untold").dataset_id == "untold"


@pytest.mark.parametrize(
    ("path", "body"), [("/clock", {"advance_seconds": 5}), ("/faults", {"operation": "*", "action": "drop"})]
)
def test_what_the_control_plane_cannot_do_it_refuses(emulator: Emulator, path: str, body: dict[str, object]) -> None:
    """A silently ignored order would make a test prove nothing."""
    assert emulator.control("POST", path, body).status_code == 400


def test_reset_forgets_and_seed_creates(own: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """The state before a test is the test's own."""
    with connect(own, monkeypatch) as client:
        client.create_dataset("before")
        assert own.control("POST", "/reset").json() == {"reset": True}
        seed = {"project": "test-project", "sql": ["CREATE SCHEMA after", "CREATE TABLE after.t AS SELECT 1 AS id"]}
        assert own.control("POST", "/seed", seed).json() == {"seeded": True}
        assert [dataset.dataset_id for dataset in client.list_datasets()] == ["after"]
