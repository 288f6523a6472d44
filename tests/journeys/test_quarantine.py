"""A file with mistakes in it, from the drop over a fix of the rules to rows that came in, on everything that runs."""

import csv
import gzip
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dropforge.contracts.pipeline import parse
from dropforge.contracts.settings import Settings
from infra.commands.deployment import variables
from infra.local.warehouse import once_loaded
from tests.journeys.running import REPO, Run

EXAMPLE = REPO / "examples" / "flights"
UNKNOWN, MILES = 100, 250  # every how many rows a mistake is made


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of a local run with the flights' pipeline, and nothing dropped."""
    folder: Path = tmp_path_factory.mktemp("quarantine") / "home"
    run = Run(folder, "--no-example")
    try:
        run.until("stays up")
        yield folder
    finally:
        run.process.terminate()
        run.finish(60)


def sabotaged(to: Path) -> tuple[int, int, int]:
    """A real month with a text in two columns of numbers; returns its rows, and how many have each mistake."""
    with gzip.open(EXAMPLE / "data" / "flights-2013-01-LGA.csv.gz", "rt", newline="") as text:
        rows = list(csv.DictReader(text))
    for row in rows[::UNKNOWN]:
        row["dep_delay"] = "unknown"
    for row in rows[1::MILES]:
        row["distance"] += " miles"
    with to.open("w", newline="") as text:
        writer = csv.DictWriter(text, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return len(rows), len(rows[::UNKNOWN]), len(rows[1::MILES])


def command(home: Path, *arguments: str) -> Any:
    """What a command answers to a machine."""
    environment = {**os.environ, "PYTHONPATH": f"{REPO}:{REPO / 'shared'}"}
    done = subprocess.run(
        [sys.executable, "-m", "infra", *arguments, "--json", "--home", str(home)],
        cwd=REPO,
        env=environment,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.stdout, done.stderr
    return json.loads(done.stdout)


def counts(file: dict[str, Any]) -> tuple[str, int, int, int, int]:
    """A file of the quarantine's list, in short; its rows must reconcile at any time."""
    rows = [file[f"rows_{name}"] for name in ("read", "accepted", "quarantined", "discarded")]
    assert file["reconciles"] and rows[0] == sum(rows[1:])
    return file["state"], rows[0], rows[1], rows[2], rows[3]


def test_what_was_sabotaged_is_repaired_and_replayed(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The promise about rows, through every real part: none lost, none doubled, and each with its reasons."""
    file, fixed = tmp_path / "sabotaged.csv", tmp_path / "pipeline.yaml"
    rows, unknown, miles = sabotaged(file)
    (dropped,) = command(home, "drop", "flights", str(file))["files"]
    assert (dropped["rows_read"], dropped["rows_quarantined"]) == (rows, unknown + miles)

    (listed,) = command(home, "quarantine", "list")["files"]
    assert counts(listed) == ("waiting", rows, rows - unknown - miles, unknown + miles, 0)
    shown = command(home, "quarantine", "show", listed["batch"], "--rows", "1")
    assert shown["rows"][0]["reasons"] == ["Line 2: 'dep_delay' must be a whole number (minute). Found 'unknown'."]

    given = (EXAMPLE / "pipeline.yaml").read_text()
    fixed.write_text(given.replace("  flights:\n", "  flights:\n    null_markers: [NA, unknown]\n", 1))
    assert parse(fixed.read_bytes()).main.null_markers == ["NA", "unknown"]
    assert command(home, "deploy-pipeline", str(fixed))["changed"]
    (replayed,) = command(home, "quarantine", "replay", "--all")["files"]
    assert counts(replayed) == ("waiting", rows, rows - miles, miles, 0)
    (again,) = command(home, "quarantine", "replay", listed["batch"])["files"]
    assert again == replayed

    command(home, "quarantine", "discard", listed["batch"], "--reason", "the unit stands in the value")
    (ended,) = command(home, "quarantine", "list", "--all")["files"]
    assert counts(ended) == ("discarded", rows, rows - miles, 0, miles)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    for name, value in variables((home / "environment.sh").read_text(), "environment.sh").items():
        monkeypatch.setenv(name, value)
    accepted = {link["batch"]: link["rows_accepted"] for link in ended["links"]}
    assert once_loaded(Settings.read(), parse(fixed.read_bytes()), accepted) == accepted
