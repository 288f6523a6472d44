"""Cloud Scheduler: a message for each function with a schedule, whenever the router's clock comes to one of its times.

A clock that a test has moved past several times of a schedule fires it once, as a scheduler that was away does; so that
what follows does not depend on how the clock was moved.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from emulators.clock import Clock
from functions.flow import Function

Publish = Callable[[str], None]


@dataclass
class Job:
    """One function's schedule. `due` is in seconds since the epoch."""

    function: Function
    due: float
    fired: int = 0


@dataclass
class Schedules:
    """All schedules of the flow. `publish` sends a function its message and blocks until Pub/Sub has it."""

    functions: Mapping[str, Function]
    clock: Clock
    publish: Publish
    _jobs: dict[str, Job] = field(default_factory=dict)
    _one_at_a_time: asyncio.Lock = field(default_factory=asyncio.Lock)

    def __post_init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Begin from the present time, with no message sent."""
        self._jobs = {
            name: Job(function, function.trigger.due_after(self.clock.now()))
            for name, function in self.functions.items()
            if function.trigger.schedule is not None
        }

    async def fire(self) -> None:
        """Send what is due, once each. A message that Pub/Sub does not take stays due."""
        async with self._one_at_a_time:
            now = self.clock.now()
            for name, job in self._jobs.items():
                if job.due <= now:
                    await asyncio.to_thread(self.publish, name)
                    job.due = job.function.trigger.due_after(now)
                    job.fired += 1

    def shown(self, name: str) -> dict[str, Any]:
        """For `GET /_emulator/functions`: when a function is due next, and how often it was."""
        job = self._jobs.get(name)
        if job is None:
            return {}
        return {"due": datetime.fromtimestamp(job.due, UTC).isoformat(), "fired": job.fired}
