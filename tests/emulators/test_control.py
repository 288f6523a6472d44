"""The control plane is the same on each emulator: docs/emulators.md has the table, and this holds it."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, get_args

import pytest
import requests

from emulators.faults import Action
from tests.emulators.launch import Emulator

PAGE = (Path(__file__).parents[2] / "docs" / "emulators.md").read_text()
MOVES = "moves"


class Row(NamedTuple):
    """One line of the table."""

    name: str
    seed: dict[str, Any]
    clock: str
    call: tuple[str, str]  # that a fault is ordered for: its name, and its path
    actions: list[str]


def table() -> list[Row]:
    """The lines of the table whose first cell names an emulator."""
    found = []
    for line in PAGE.splitlines():
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)][1:-1]
        if len(cells) == 5 and cells[0].startswith("`") and cells[1].startswith("`{"):
            name, seed, clock, call, actions = cells
            operation, path = re.findall(r"`([^`]+)`", call)
            (example,) = re.findall(r"`(\{.*\})`", seed)
            row = Row(name.strip("`"), json.loads(example), clock, (operation, path), re.findall(r"`(\w+)`", actions))
            found.append(row)
    return found


ROWS = {row.name: row for row in table()}


@pytest.fixture(scope="module", params=ROWS)
def row(request: pytest.FixtureRequest) -> Row:
    """One emulator's line."""
    return ROWS[request.param]


@pytest.fixture(scope="module")
def emulator(row: Row, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """The emulator of the line, in memory; tests leave it as they find it, for BigQuery takes seconds to reset."""
    with Emulator(row.name, tmp_path_factory.mktemp(row.name) / "errors.log") as running:
        yield running


def call(emulator: Emulator, row: Row) -> int:
    """Make the call that the table names; its status."""
    return requests.get(emulator.control_url + row.call[1], timeout=30).status_code


def order(emulator: Emulator, **fault: object) -> int:
    """Order a fault; the status of the answer."""
    return emulator.control("POST", "/faults", dict(fault)).status_code


def test_the_table_has_every_emulator() -> None:
    """A new one must take part."""
    assert set(ROWS) == {"storage", "pubsub", "bigquery", "vertex", "router"}


def test_health_says_who_answers_and_since_when(emulator: Emulator, row: Row) -> None:
    """What waits for an emulator asks this."""
    told = emulator.control("GET", "/health").json()
    assert (told["emulator"], told["status"], told["uptime_seconds"] >= 0) == (row.name, "ok", True)


def test_seed_creates_and_reset_forgets(emulator: Emulator, row: Row) -> None:
    """What is there already is not seeded again, until it is forgotten; the router has nothing to seed."""
    expected = 400 if row.name == "router" else 200
    assert [emulator.control("POST", "/seed", row.seed).status_code for _ in range(2)] == [expected, 400]
    emulator.control("POST", "/reset").raise_for_status()
    assert emulator.control("POST", "/seed", row.seed).status_code == expected


def test_a_seed_that_cannot_be_read_is_refused(emulator: Emulator) -> None:
    """A misspelt key must not leave a test with nothing."""
    answer = emulator.control("POST", "/seed", {"bukets": []})
    assert (answer.status_code, "error" in answer.json()) == (400, True)


def test_the_clock_moves_forward_where_it_moves_and_is_the_machines_after_a_reset(emulator: Emulator, row: Row) -> None:
    """A clock that silently stands still would make a test of deadlines prove nothing."""
    moved = emulator.control("POST", "/clock", {"advance_seconds": 600})
    assert moved.status_code == (200 if row.clock == MOVES else 400)
    assert emulator.control("POST", "/clock", {"advance_seconds": -1}).status_code == 400
    assert (emulator.control("GET", "/clock").json()["ahead_seconds"] == 600) == (row.clock == MOVES)
    if row.clock == MOVES:
        emulator.control("POST", "/reset").raise_for_status()
    assert emulator.control("GET", "/clock").json()["ahead_seconds"] == 0


def test_actions_are_those_of_the_table_and_all_others_are_refused(emulator: Emulator, row: Row) -> None:
    """What has no meaning for an emulator must not be taken as an order."""
    answers = {action: order(emulator, id=action, operation="*", action=action) for action in get_args(Action)}
    assert [action for action, status in answers.items() if status == 201] == row.actions
    assert {*answers.values(), order(emulator, operation="*", action="explode")} <= {201, 400}
    for action in row.actions:
        emulator.control("DELETE", f"/faults/{action}").raise_for_status()


def test_a_change_of_state_suffers_what_has_a_meaning_for_it(emulator: Emulator) -> None:
    """There is no answer to lose, nor a crash after it."""
    answers = {
        action: order(emulator, id="t", operation="transition.x.done", action=action)
        for action in ("lose_answer", "crash_after")
    }
    assert answers == {"lose_answer": 400, "crash_after": 400}
    assert order(emulator, id="t", operation="transition.x.done", action="crash_before") == 201
    emulator.control("DELETE", "/faults/t").raise_for_status()


def test_a_fault_is_ordered_by_id_counted_and_withdrawn(emulator: Emulator, row: Row) -> None:
    """After the calls that it lets pass it strikes as often as ordered, and no more."""
    if row.name == "router":
        pytest.skip("test_faults of the router, whose faults strike deliveries, shows it")
    assert order(emulator, id="f", operation=row.call[0], action="error", status=503, after=1, times=2) == 201
    statuses = [call(emulator, row) for _ in range(4)]
    assert [status == 503 for status in statuses] == [False, True, True, False]
    told = emulator.control("GET", "/faults/f").json()
    assert (told["consumed"], [fault["id"] for fault in emulator.control("GET", "/faults").json()["faults"]]) == (
        2,
        ["f"],
    )
    emulator.control("DELETE", "/faults/f").raise_for_status()
    assert emulator.control("GET", "/faults/f").status_code == 404
