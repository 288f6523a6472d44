"""Changes of state as places where faults strike: a job that is slow to run, a deployment that fails at its end.

A change has a name, such as `transition.customJobs.RUNNING`, and a fault that is ordered for that name holds it up
(`delay`, by the emulator's clock, and no longer than the fault stands), makes it fail (`error`), or ends the process
before it (`crash_before`).
"""

import asyncio
from dataclasses import dataclass

from emulators.clock import Clock
from emulators.faults import TRANSITION, TRANSITION_ACTIONS, Fault, Faults, die

_LOOK = 0.02  # seconds between two looks at a clock that a test may move


@dataclass(frozen=True)
class Transitions:
    """The changes of state of one emulator."""

    faults: Faults
    clock: Clock

    async def reached(self, name: str) -> Fault | None:
        """Suffer what was ordered for a change that is about to be made; a fault that is returned makes it fail."""
        fault = self.faults.take(TRANSITION + name, TRANSITION_ACTIONS)
        if fault is None:
            return None
        if fault.action == "crash_before":
            die()
        due = self.clock.now() + fault.delay_seconds
        while fault.action == "delay" and self.clock.now() < due and self.faults.get(fault.id) is fault:
            await asyncio.sleep(_LOOK)
        return fault if fault.action == "error" else None
