"""One deployment that stays up for the tests of this folder, and what they ask it."""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from dropforge.contracts.batch import Batch, Source
from dropforge.contracts.settings import Settings
from dropforge.contracts.verdicts import BatchVerdict
from dropforge.gcp.services import Services
from infra.local import follow
from tests.journeys.running import Run


class Deployment:
    """A local deployment without the example's data, with the flights' pipeline in place."""

    def __init__(self, run: Run, home: Path) -> None:
        self.run = run
        self.home = home
        lines = (home / "environment.sh").read_text().splitlines()
        self.environment = dict(line.removeprefix("export ").split("=", 1) for line in lines)
        os.environ.update(self.environment)
        self.settings = Settings.read()
        self.services = Services(self.settings)
        self.router = next(line.split()[-1] for line in run.lines if "router is ready" in line)

    def drop(self, name: str, content: bytes | Path) -> Batch:
        """Drop a file as `flights/<name>`; returns its batch."""
        generation = self.services.landing.create(f"flights/{name}", content)
        source = Source(bucket=self.settings.landing_bucket, name=f"flights/{name}", generation=generation)
        return Batch.of(source, {"flights": "flights"})

    def verdict(self, batch: Batch, seconds: float = 120) -> BatchVerdict:
        """The verdict on a batch, once there is one."""
        followed = follow.Followed(batch)
        self.wait(lambda: followed.look(self.services.state) and followed.verdict is not None, "a verdict", seconds)
        assert followed.verdict is not None
        return followed.verdict

    def wait(self, true: Any, what: str, seconds: float = 120) -> None:
        """Return once `true()`."""
        self.run.wait_for(true, what, seconds)

    def quiet(self, seconds: float = 3) -> None:
        """Return once no function was given anything for some seconds."""
        seen, since = self._deliveries(), time.monotonic()
        while time.monotonic() - since < seconds:
            time.sleep(0.2)
            now = self._deliveries()
            if now != seen:
                seen, since = now, time.monotonic()

    def _deliveries(self) -> int:
        found = httpx.get(f"{self.router}/_emulator/functions").raise_for_status().json()["functions"]
        return sum(function["deliveries"] + function["requests"] for function in found.values())

    def order(self, **fault: Any) -> str:
        """Order a fault of the router; returns its id."""
        answer = httpx.post(f"{self.router}/_emulator/faults", json=fault)
        fault_id: str = answer.raise_for_status().json()["id"]
        return fault_id

    def advance(self, seconds: float) -> None:
        """Move the clocks of Pub/Sub, by which messages are dated, and of the router, by which schedules fire."""
        for name in ("PUBSUB", "ROUTER"):
            clock = f"{self.environment[f'{name}_EMULATOR_CONTROL']}/clock"
            httpx.post(clock, json={"advance_seconds": seconds}).raise_for_status()

    def consumed(self, fault_id: str) -> int:
        """How often a fault has struck."""
        count: int = httpx.get(f"{self.router}/_emulator/faults/{fault_id}").raise_for_status().json()["consumed"]
        return count


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """Up before the first test of a module, gone after its last."""
    home = tmp_path_factory.mktemp("deployment")
    before = dict(os.environ)
    run = Run(home, "--no-example")
    try:
        run.until("everything stays up")
        yield Deployment(run, home)
    finally:
        run.process.terminate()
        run.finish(60)
        os.environ.clear()
        os.environ.update(before)
