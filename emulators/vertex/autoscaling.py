"""Replicas between a deployed model's minimum and maximum, by load.

https://cloud.google.com/vertex-ai/docs/predictions/configure-compute#scaling: every 15 seconds the load is held against
the target; what is needed is started at once, and given up once none of the last five minutes needed it. Time is the
emulator's clock, so a test need not wait; the load itself is real.
"""

import asyncio
import math
import os
import sys
from collections import deque
from pathlib import Path

from emulators.clock import Clock
from emulators.vertex.errors import ApiError
from emulators.vertex.machines import cpus, machine_type, replica_counts
from emulators.vertex.replicas import Deployment
from emulators.vertex.schema import Json
from emulators.vertex.serving import Key, Serving

EVERY, KEPT = 15.0, 300.0  # seconds
_LOOK = 0.25  # seconds of the machine between two looks at the clock
_ONLINE = "aiplatform.googleapis.com/prediction/online"
CPU, REQUESTS = f"{_ONLINE}/cpu/utilization", f"{_ONLINE}/request_count"
DEFAULT_TARGETS = {CPU: 60}
_TICKS = os.sysconf("SC_CLK_TCK")


class Scaler:
    """Watches one deployed model. `needs` are the counts of replicas that were needed, and when."""

    def __init__(self, deployment: Deployment, resources: Json, now: float) -> None:
        self.resources = resources
        self._deployment = deployment
        self._needs: deque[tuple[float, int]] = deque()
        self._at, self._asked, self._cpu = now, deployment.asked, cpu_seconds(deployment)

    def wanted(self, now: float) -> int:
        """How many replicas there should be, by the load since the last call, `EVERY` seconds ago or more."""
        seconds, asked, used = now - self._at, self._deployment.asked, cpu_seconds(self._deployment)
        load = {  # what one replica would bear, had it all: percent of its machine, requests a minute
            CPU: 100 * max(0.0, used - self._cpu) / seconds / cpus(machine_type(self.resources)),
            REQUESTS: 60 * (asked - self._asked) / seconds,
        }
        self._at, self._asked, self._cpu = now, asked, used
        targets = {
            spec["metricName"]: int(spec.get("target", 60)) for spec in self.resources.get("autoscalingMetricSpecs", [])
        }
        targets = {metric: target for metric, target in (DEFAULT_TARGETS | targets).items() if metric in load}
        needed = max(math.ceil(load[metric] / target) for metric, target in targets.items())
        least, most = replica_counts(self.resources)
        self._needs.append((now, min(max(needed, least), most)))
        while self._needs[0][0] <= now - KEPT:
            self._needs.popleft()
        return max(count for _, count in self._needs)


def cpu_seconds(deployment: Deployment) -> float:
    """What the present processes of a deployed model have used so far; 0 where the system does not tell."""
    used = 0
    for replica in deployment.replicas:
        try:
            fields = Path(f"/proc/{replica.pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        used += int(fields[11]) + int(fields[12])  # utime and stime, proc(5)
    return used / _TICKS


class Autoscaling:
    """All deployed models that may have more than their least replicas."""

    def __init__(self, serving: Serving, clock: Clock) -> None:
        self._serving = serving
        self._clock = clock
        self._scalers: dict[Key, Scaler] = {}
        self._due = 0.0
        self._resizing: dict[Key, asyncio.Task[None]] = {}
        self._watching: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to watch."""
        self._watching = asyncio.create_task(self._watch())

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(_LOOK)
            self.look()

    def look(self) -> None:
        """Scale by the load, if it is time to."""
        now = self._clock.now()
        if now < self._due:
            return
        self._due = now + EVERY
        deployments = dict(self._serving.scalable())
        self._scalers = {key: scaler for key, scaler in self._scalers.items() if key in deployments}
        for key, (deployment, resources) in deployments.items():
            if key not in self._scalers:
                self._scalers[key] = Scaler(deployment, resources, now)
                continue
            self._scalers[key].resources = resources
            wanted = self._scalers[key].wanted(now)
            if wanted != len(deployment.replicas) and key not in self._resizing:
                task = self._resizing[key] = asyncio.create_task(self._resize(key, deployment, wanted))
                task.add_done_callback(lambda _, key=key: self._resizing.pop(key))  # type: ignore[misc]

    def reset(self) -> None:
        """Forget all loads; the clock may have gone back."""
        self._scalers.clear()
        self._due = 0.0

    @staticmethod
    async def _resize(key: Key, deployment: Deployment, count: int) -> None:
        try:
            await deployment.resize(count)
        except ApiError as error:
            print(f"DeployedModel {key[1]} could not scale to {count}: {error}", file=sys.stderr, flush=True)

    async def stop(self) -> None:
        """Watch no more."""
        tasks = [task for task in (self._watching, *self._resizing.values()) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
