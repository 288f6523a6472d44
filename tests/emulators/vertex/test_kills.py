"""`kill -9` at a random moment of many writes: what was acknowledged is there, what was not is whole or absent."""

import random
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any

import pytest
import requests

from tests.emulators.launch import Emulator

LOCATION = "/v1/projects/p/locations/us-central1"


def upload(url: str, number: int) -> str | None:
    """Upload a model; its operation's name, if it was acknowledged."""
    model = {"displayName": f"m{number}", "containerSpec": {"imageUri": "i"}, "labels": {"number": str(number)}}
    try:
        answer = requests.post(f"{url}{LOCATION}/models:upload", json={"model": model}, timeout=30)
    except requests.RequestException:
        return None
    return str(answer.json()["name"])


def write_until_killed(emulator: Emulator, numbers: range, moment: float) -> list[str]:
    """The operations of the uploads that were acknowledged; the kill comes `moment` seconds after the first."""
    begun = Event()

    def kill() -> None:
        begun.wait(60)
        time.sleep(moment)
        emulator.process.kill()

    def upload_one(number: int) -> str | None:
        name = upload(emulator.url, number)
        begun.set()
        return name

    with ThreadPoolExecutor(5) as pool:
        pool.submit(kill)
        done = list(pool.map(upload_one, numbers))
    return [name for name in done if name]


def check(emulator: Emulator, acknowledged: list[str], total: int) -> None:
    """Each acknowledged upload has ended with a whole model, and no model came of what nobody uploaded.

    `total`: how many uploads were acknowledged in all rounds, so that none of an earlier round may be lost later.
    """
    for name in acknowledged:
        operation = ended(emulator, name)
        model = requests.get(f"{emulator.url}/v1/{operation['response']['model']}", timeout=10).json()
        assert model["displayName"] == f"m{model['labels']['number']}"
        assert model["versionAliases"] == ["default"]
    names = [model["displayName"] for model in listed(emulator)]
    assert len(set(names)) == len(names) >= total


def ended(emulator: Emulator, name: str) -> dict[str, Any]:
    """The operation once it is done: after a restart it is carried out again."""
    while not (operation := requests.get(f"{emulator.url}/v1/{name}", timeout=10).json())["done"]:
        pass
    return dict(operation)


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
    acknowledged: list[str] = []
    total = 0
    for each in range(rounds):
        with launch(tmp_path) as emulator:
            check(emulator, acknowledged, total)
            numbers = range(1000 * each, 1000 * each + 100)
            acknowledged = write_until_killed(emulator, numbers, chance.uniform(0.05, 0.5))
        total += len(acknowledged)
    with launch(tmp_path) as emulator:
        check(emulator, acknowledged, total)
    assert total >= rounds
    print(f"{rounds} kills, {total} acknowledged uploads")
