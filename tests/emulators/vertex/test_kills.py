"""`kill -9` at a random moment of many writes: what was acknowledged is there, what was not is whole or absent."""

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Timer

import pytest
import requests

from tests.emulators.launch import Emulator

LOCATION = "/v1/projects/p/locations/us-central1"


def upload(url: str, number: int) -> str | None:
    """Upload a model; its operation's name, if it was acknowledged."""
    model = {"displayName": f"m{number}", "containerSpec": {"imageUri": "i"}, "labels": {"number": str(number)}}
    try:
        answer = requests.post(f"{url}{LOCATION}/models:upload", json={"model": model}, timeout=10)
    except requests.RequestException:
        return None
    return str(answer.json()["name"])


def kill_and_look(launch: Callable[..., Emulator], data: Path, moment: float) -> int:
    """Upload until the emulator is killed, start it again, check; how many were acknowledged."""
    with launch(data) as first, ThreadPoolExecutor(4) as pool:
        timer = Timer(moment, first.process.kill)
        timer.start()
        acknowledged = [name for name in pool.map(lambda number: upload(first.url, number), range(400)) if name]
        timer.join()
    with launch(data) as second:
        for name in acknowledged:
            operation = requests.get(f"{second.url}/v1/{name}", timeout=10).json()
            model = requests.get(f"{second.url}/v1/{operation['response']['model']}", timeout=10).json()
            assert model["displayName"] == f"m{model['labels']['number']}"
            assert model["versionAliases"] == ["default"]
        found = requests.get(f"{second.url}{LOCATION}/models?pageSize=1000", timeout=10).json().get("models", [])
        assert len({model["displayName"] for model in found}) == len(found) >= len(acknowledged)
    return len(acknowledged)


@pytest.mark.parametrize("rounds", [1, pytest.param(200, marks=pytest.mark.heavy)])
def test_nothing_acknowledged_is_lost(launch: Callable[..., Emulator], tmp_path: Path, rounds: int) -> None:
    """The registry is the record of what served."""
    random.seed(rounds)
    counts = [kill_and_look(launch, tmp_path / str(each), random.uniform(0.05, 0.5)) for each in range(rounds)]
    assert sum(counts) > 0
