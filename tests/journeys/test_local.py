"""`./deploy.sh local`, as a newcomer runs it, on the first months of the flights."""

import csv
import gzip
import json
import os
import random
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.running import REPO, Run, command_line, descendants

DATA = REPO / "examples" / "flights" / "data"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A state folder of its own, as on a machine that has never run it."""
    return tmp_path / "home"


def flights_in(period: str) -> int:
    """Rows of a month's files, counted by Python's own CSV reader."""
    total = 0
    for path in DATA.glob(f"flights-{period}-*.csv.gz"):
        with gzip.open(path, "rt", newline="") as text:
            total += sum(1 for _ in csv.DictReader(text))
    return total


def table(path: Path) -> list[dict[str, Any]]:
    """The end table that a run wrote, checked against the files: no row lost, none doubled."""
    rows: list[dict[str, Any]] = json.loads(path.read_text())
    for row in rows:
        assert row["accepted"] + row["quarantined"] == flights_in(row["period"])
        assert row["in_bigquery"] == row["accepted"]
    return rows


def test_the_flights_become_served_models(home: Path, tmp_path: Path) -> None:
    """The main job: each month's files end as accepted rows and a judged model, and one prediction is answered."""
    run = Run(home, "--once", "--months", "3", "--report", str(tmp_path / "table.json"))
    run.until("accepted")
    started = descendants(run.process.pid)
    assert run.finish() == 0, run.output
    rows = table(tmp_path / "table.json")
    assert [row["period"] for row in rows] == ["2013-01", "2013-02", "2013-03"]
    assert rows[0]["outcome"] == "published"
    assert all(row["retrained"] > 0.6 for row in rows[:2])
    assert '"predictions"' in run.output
    assert not [pid for pid in started if command_line(pid)], "processes were left behind"


def test_any_process_may_be_killed(home: Path, tmp_path: Path) -> None:
    """`kill -9` of every service in turn, then of the whole run; started again, no row is lost or doubled."""
    dice = random.Random(20130101)
    victims = ["emulators storage", "emulators pubsub", "emulators router", "emulators vertex", "bigquery"]
    run = Run(home, "--once", "--months", "2", "--report", str(tmp_path / "table.json"))
    run.until("dropped")
    for victim in dice.sample(victims, len(victims)):
        run.wait_for(lambda name=victim: bool(run.pids(name)), f"a process {victim}", 60)  # type: ignore[misc]
        os.kill(run.pids(victim)[0], signal.SIGKILL)
        time.sleep(dice.uniform(0.5, 3))
    started = descendants(run.process.pid)
    run.kill()
    time.sleep(2)
    assert not [pid for pid in started if command_line(pid)], "processes outlived the run"
    again = Run(home, "--once", "--months", "2", "--report", str(tmp_path / "table.json"))
    assert again.finish() == 0, again.output
    assert table(tmp_path / "table.json")[0]["outcome"] == "published"
