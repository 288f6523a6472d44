"""`kill -9` at a random moment of many writes: what was acknowledged is there, what was not is whole or absent."""

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.emulators.killed import write_until_killed
from tests.emulators.launch import Emulator
from tests.waiting import until

LOCATION = "/v1/projects/p/locations/us-central1"


def upload(emulator: Emulator, number: int) -> str | None:
    """Upload a model; its operation's name, if it was acknowledged."""
    model = {"displayName": f"m{number}", "containerSpec": {"imageUri": "i"}, "labels": {"number": str(number)}}
    try:
        answer = requests.post(f"{emulator.url}{LOCATION}/models:upload", json={"model": model}, timeout=30)
    except requests.RequestException:
        return None
    return str(answer.json()["name"])


def check(emulator: Emulator, operations: list[str], acknowledged: set[int], sent: range) -> None:
    """Each acknowledged upload of the last round has ended with a whole model; of all rounds none is lost, or invented.

    `operations`: of the last round; `acknowledged` and `sent`: the numbers of all rounds.
    """
    for name in operations:
        operation = ended(emulator, name)
        model = requests.get(f"{emulator.url}/v1/{operation['response']['model']}", timeout=10).json()
        assert model["displayName"] == f"m{model['labels']['number']}"
        assert model["versionAliases"] == ["default"]
    numbers = [int(model["displayName"].removeprefix("m")) for model in listed(emulator)]
    assert len(set(numbers)) == len(numbers)
    assert acknowledged <= set(numbers) <= set(sent)


def ended(emulator: Emulator, name: str) -> dict[str, Any]:
    """The operation once it is done: after a restart it is carried out again."""

    def look() -> dict[str, Any] | None:
        operation: dict[str, Any] = requests.get(f"{emulator.url}/v1/{name}", timeout=10).json()
        return operation if operation["done"] else None

    found = until(look)
    assert found is not None
    return found


def listed(emulator: Emulator) -> Iterator[dict[str, Any]]:
    """Every model, page by page."""
    token = ""
    while True:
        query = {"pageSize": "1000", "pageToken": token}
        page = requests.get(f"{emulator.url}{LOCATION}/models", params=query, timeout=60).json()
        yield from page.get("models", [])
        token = page.get("nextPageToken", "")
        if not token:
            return


@pytest.mark.parametrize("rounds", [1, pytest.param(200, marks=pytest.mark.heavy)])
def test_nothing_acknowledged_is_lost(launch: Callable[..., Emulator], tmp_path: Path, rounds: int) -> None:
    """The registry is the record of what served. Each round begins where the last one died."""
    chance = random.Random(rounds)
    acknowledged: set[int] = set()
    last: dict[int, str] = {}
    for each in range(rounds):
        with launch(tmp_path) as emulator:
            check(emulator, list(last.values()), acknowledged, range(100 * each))
            numbers = range(100 * each, 100 * each + 100)
            last = write_until_killed(emulator, upload, numbers, chance.uniform(0.05, 0.5))
        acknowledged |= last.keys()
    with launch(tmp_path) as emulator:
        check(emulator, list(last.values()), acknowledged, range(100 * rounds))
    assert len(acknowledged) >= rounds
    print(f"{rounds} kills, {len(acknowledged)} acknowledged uploads")
