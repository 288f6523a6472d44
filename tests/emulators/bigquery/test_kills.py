"""`kill -9` at a random moment of many writes: what was acknowledged is there, what was not is whole or absent."""

import random
from pathlib import Path

import pytest
import requests

from tests.emulators.killed import write_until_killed
from tests.emulators.launch import Emulator

PROJECT = "/bigquery/v2/projects/test-project"
ROWS = 3  # each write has so many, or none


def post(emulator: Emulator, path: str, body: dict[str, object]) -> requests.Response:
    """One call of the REST API."""
    return requests.post(f"{emulator.url}{PROJECT}{path}", json=body, timeout=30)


def query_job(emulator: Emulator, sql: str, job: str) -> requests.Response:
    """A query under a job id of our own."""
    reference = {"projectId": "test-project", "jobId": job}
    return post(
        emulator,
        "/jobs",
        {"jobReference": reference, "configuration": {"query": {"query": sql, "useLegacySql": False}}},
    )


def insert_by_job(emulator: Emulator, write: int) -> requests.Response:
    """A DML job, as a merge of late rows is one."""
    values = ", ".join(f"({write}, {row})" for row in range(ROWS))
    return query_job(emulator, f"INSERT d.t (w, r) VALUES {values}", f"write-{write}")


def insert_all(emulator: Emulator, write: int) -> requests.Response:
    """Streamed rows, as logged predictions are."""
    rows = [{"insertId": f"{write}-{row}", "json": {"w": write, "r": row}} for row in range(ROWS)]
    return post(emulator, "/datasets/d/tables/t/insertAll", {"rows": rows})


def acknowledged(emulator: Emulator, write: int) -> bool:
    """Make one write; whether it was acknowledged before the emulator died."""
    try:
        answer = (insert_by_job if write % 2 else insert_all)(emulator, write)
    except requests.RequestException:
        return False
    assert answer.ok, answer.text
    return write % 2 == 0 or answer.json()["status"]["state"] == "DONE"


def check(emulator: Emulator, writes: list[int]) -> None:
    """All acknowledged writes are there, every write is whole, and a job's id is not free again."""
    whole = f"COUNT(*) = {ROWS} AND COUNT(DISTINCT r) = {ROWS} AS whole"
    sql = (
        "SELECT STRING_AGG(IF(whole, CAST(w AS STRING), NULL)), COUNTIF(NOT whole) "
        f"FROM (SELECT w, {whole} FROM d.t GROUP BY w)"
    )
    (row,) = post(emulator, "/queries", {"query": sql, "useLegacySql": False}).json()["rows"]
    found, broken = (cell["v"] for cell in row["f"])
    assert broken == "0"
    assert set(writes) <= {int(write) for write in (found or "").split(",") if write}
    for write in [write for write in writes if write % 2][-3:]:
        assert insert_by_job(emulator, write).status_code == 409


@pytest.mark.parametrize("rounds", [1, pytest.param(200, marks=pytest.mark.heavy)])
def test_nothing_acknowledged_is_lost(tmp_path: Path, rounds: int) -> None:
    """The warehouse is what a model is retrained from. Each round begins where the last one died."""
    chance = random.Random(rounds)
    writes: list[int] = []
    for each in range(rounds):
        with Emulator("bigquery", tmp_path / "errors.log", tmp_path / "data") as emulator:
            if each == 0:
                sql = "CREATE SCHEMA d; CREATE TABLE d.t (w INT64, r INT64)"
                post(emulator, "/queries", {"query": sql, "useLegacySql": False}).raise_for_status()
            check(emulator, writes)
            numbers = range(1000 * each, 1000 * each + 100)
            writes += write_until_killed(emulator, acknowledged, numbers, chance.uniform(0.05, 1.0))
    with Emulator("bigquery", tmp_path / "errors.log", tmp_path / "data") as emulator:
        check(emulator, writes)
    assert len(writes) >= rounds
    print(f"{rounds} kills, {len(writes)} acknowledged writes of {ROWS} rows")
