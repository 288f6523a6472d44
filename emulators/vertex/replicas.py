"""Deployed models as processes: started, asked for their health, restarted when they end, stopped when undeployed."""

import asyncio
import contextlib
import os
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from emulators.ports import free_port
from emulators.process import spawn
from emulators.vertex.errors import FailedPrecondition
from emulators.vertex.upstream import Broken, Unreachable, Upstream

START_VARIABLE = "DROPFORGE_VERTEX_START_SECONDS"
START_ATTEMPTS = 3  # ends of a process before a deployment that was never healthy is given up
FIRST_BACK_OFF, LONGEST_BACK_OFF = 0.25, 30.0  # seconds
HEALTH_EVERY, HEALTH_FAILURES = 5.0, 4  # the service takes a server out of traffic after four failed checks in a row
DRAIN_SECONDS, GRACE_SECONDS = 30.0, 5.0
TAIL_BYTES = 2000


@dataclass(frozen=True)
class Container:
    """How one replica is run, whatever its port."""

    command: Callable[[int], list[str]]
    environment: Callable[[int], dict[str, str]]
    folder: Path | None
    predict_route: str
    health_route: str


class Replica:
    """One process of a deployed model, under supervision."""

    def __init__(self, container: Container, log: Path) -> None:
        self._container = container
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None
        self._supervision: asyncio.Task[None] | None = None
        self.upstream = Upstream(0)
        self.healthy = asyncio.Event()
        self.in_flight = 0
        self.ends = 0

    @property
    def pid(self) -> int | None:
        """Process id, while one runs."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    @property
    def exit_status(self) -> int | None:
        """How the last process ended."""
        return self._process.poll() if self._process is not None else None

    def start(self) -> None:
        """Run, and run again whenever the process ends, later each time."""
        self._supervision = asyncio.create_task(self._supervise())

    async def _supervise(self) -> None:
        back_off = FIRST_BACK_OFF
        while True:
            began = time.monotonic()
            self._launch()
            await self._watch()
            self.healthy.clear()
            self.upstream.close()
            self.ends += 1
            if time.monotonic() - began > 10 * back_off:
                back_off = FIRST_BACK_OFF
            await asyncio.sleep(back_off)
            back_off = min(2 * back_off, LONGEST_BACK_OFF)

    def _launch(self) -> None:
        port = free_port()
        self.upstream = Upstream(port)
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("ab") as log:
            try:
                self._process = spawn(
                    self._container.command(port),
                    environment=self._container.environment(port),
                    folder=self._container.folder,
                    stdout=log,
                    stderr=log,
                )
            except OSError as error:
                self._process = None
                log.write(f"The command could not be started: {error}\n".encode())

    async def _watch(self) -> None:
        """Follow the process until it ends, or until it is ended for failing its health checks."""
        failures, next_check = 0, 0.0
        wait = 0.02
        while self._process is not None and self._process.poll() is None:
            now = time.monotonic()
            if not self.healthy.is_set() or now >= next_check:
                if await self._passes_health_check():
                    failures = 0
                    self.healthy.set()
                    next_check, wait = time.monotonic() + HEALTH_EVERY, 0.1
                elif self.healthy.is_set():
                    failures += 1
                    next_check = time.monotonic() + HEALTH_EVERY
                    if failures == HEALTH_FAILURES:
                        self._process.kill()
                else:
                    wait = min(wait * 1.3, 0.25)
            await asyncio.sleep(wait)

    async def _passes_health_check(self) -> bool:
        try:
            answer = await self.upstream.request("GET", self._container.health_route, seconds=10.0)
        except (Unreachable, Broken, TimeoutError):
            return False
        return answer.status == 200

    def log_tail(self) -> str:
        """The end of what the process wrote."""
        try:
            return self._log.read_bytes()[-TAIL_BYTES:].decode(errors="replace").strip()
        except OSError:
            return ""

    async def stop(self, *, drain: bool) -> None:
        """End the process: after its requests when `drain`, by SIGTERM, and by SIGKILL when that is not heard."""
        if self._supervision is not None:
            self._supervision.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._supervision
        self.healthy.clear()
        deadline = time.monotonic() + DRAIN_SECONDS
        while drain and self.in_flight and time.monotonic() < deadline:
            await asyncio.sleep(0.02)
        self.upstream.close()
        process = self._process
        if process is None or process.poll() is not None:
            return
        process.terminate()
        deadline = time.monotonic() + (GRACE_SECONDS if drain else 1.0)
        while process.poll() is None and time.monotonic() < deadline:
            await asyncio.sleep(0.02)
        if process.poll() is None:
            process.kill()
            process.wait()


class Deployment:
    """All replicas of one deployed model."""

    def __init__(self, container: Container, count: int, logs: Path) -> None:
        self.container = container
        self._logs = logs
        self._next = 0
        self._resizing = asyncio.Lock()
        self._ended = False
        self.asked = 0  # requests so far
        self.replicas = [self._replica(number) for number in range(count)]

    def _replica(self, number: int) -> Replica:
        return Replica(self.container, self._logs / f"replica-{number}.log")

    def start(self) -> None:
        """Start every replica."""
        for replica in self.replicas:
            replica.start()

    async def ready(self) -> None:
        """Wait until every replica is healthy.

        Raises:
            FailedPrecondition: one never was; the message is the service's, with the end of the process's log.
        """
        limit = float(os.environ.get(START_VARIABLE) or 120)
        deadline = time.monotonic() + limit
        for replica in self.replicas:
            while not replica.healthy.is_set() and not self._ended:
                if replica.ends >= START_ATTEMPTS:
                    self._give_up("Model server exited unexpectedly.", replica)
                if time.monotonic() > deadline:
                    self._give_up(
                        "Model server never became ready. Please validate that your model file or container "
                        f"configuration are valid. It was not healthy within {limit:g} seconds.",
                        replica,
                    )
                await asyncio.sleep(0.02)

    def _give_up(self, message: str, replica: Replica) -> None:
        status = "" if replica.exit_status is None else f" Exit status {replica.exit_status}."
        raise FailedPrecondition(
            f"{message}{status} Model server logs can be found at {self._logs}. They end with:\n{replica.log_tail()}"
        )

    def pick(self) -> Replica | None:
        """The next healthy replica in turn, if any is."""
        count = len(self.replicas)
        for step in range(count):
            replica = self.replicas[(self._next + step) % count]
            if replica.healthy.is_set():
                self._next = (self._next + step + 1) % count
                return replica
        return None

    async def resize(self, count: int) -> None:
        """Change the number of replicas; new ones are healthy, and removed ones gone, when this returns."""
        async with self._resizing:
            if self._ended:
                return
            removed, self.replicas = self.replicas[count:], self.replicas[:count]
            added = [self._replica(number) for number in range(len(self.replicas), count)]
            for replica in added:
                replica.start()
            self.replicas = self.replicas + added
            await self.ready()
            await asyncio.gather(*(replica.stop(drain=True) for replica in removed))

    async def stop(self, *, drain: bool) -> None:
        """End every replica."""
        self._ended = True
        await asyncio.gather(*(replica.stop(drain=drain) for replica in self.replicas))
