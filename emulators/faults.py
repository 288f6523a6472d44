"""Faults that a test orders by id, and can later ask whether they were consumed.

The idea of naming each fault and proving its use is that of the storage testbench's retry-test API:
https://github.com/googleapis/storage-testbench#retry-test-api
"""

import os
import signal
from collections.abc import Collection
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Literal, get_args
from uuid import uuid4

Action = Literal[
    "error",  # answer with `status` instead of doing the work
    "delay",  # wait `delay_seconds`, then do the work
    "drop",  # a delivery: never make it
    "double",  # a delivery: make it twice
    "reorder",  # a delivery: make it after the next one
    "break_stream",  # cut the connection in the middle
    "lose_answer",  # do the work, then cut the connection before answering
    "crash_before",  # the process dies before the write
    "crash_after",  # the process dies after the write, before the answer
]
ACTIONS: tuple[Action, ...] = get_args(Action)
TRANSITION = "transition."  # before the name of a change of state, which nobody called and nobody is told of
TRANSITION_ACTIONS: tuple[Action, ...] = ("error", "delay", "crash_before")


@dataclass
class Fault:
    """One ordered fault: what operation it meets, how often, and what then happens."""

    operation: str
    action: Action
    times: int = 1
    after: int = 0
    status: int = 503
    delay_seconds: float = 0.0
    id: str = field(default_factory=lambda: uuid4().hex[:12])
    seen: int = 0
    consumed: int = 0

    def __post_init__(self) -> None:
        if self.action not in ACTIONS:
            raise ValueError(f"A fault's 'action' must be one of {', '.join(ACTIONS)}. Got {self.action!r}.")
        if self.operation.startswith(TRANSITION) and self.action not in TRANSITION_ACTIONS:
            known = ", ".join(TRANSITION_ACTIONS)
            raise ValueError(f"The faults of a change of state are {known}. Got {self.action!r}.")
        if self.times < 1 or self.after < 0:
            raise ValueError(f"A fault needs times >= 1 and after >= 0. Got {self.times} and {self.after}.")


class Faults:
    """The faults of one emulator, in the order they were ordered."""

    def __init__(self) -> None:
        self._faults: dict[str, Fault] = {}

    def add(self, fault: Fault) -> Fault:
        """Order a fault; one of the same id is replaced."""
        self._faults[fault.id] = fault
        return fault

    def get(self, fault_id: str) -> Fault | None:
        """The fault of this id, with its counts."""
        return self._faults.get(fault_id)

    def all(self) -> list[Fault]:
        """Every fault, spent ones included."""
        return list(self._faults.values())

    def remove(self, fault_id: str) -> None:
        """Forget one fault; an unknown id is no error."""
        self._faults.pop(fault_id, None)

    def clear(self) -> None:
        """Forget all faults."""
        self._faults.clear()

    def take(self, operation: str, actions: Collection[Action] = ACTIONS) -> Fault | None:
        """The fault that this call of `operation` (such as `storage.objects.insert`) must suffer, if any.

        A fault's pattern may hold `*`. The first that matches and is due is consumed once; `actions` are those that
        have a meaning for this operation.
        """
        for fault in self._faults.values():
            if fault.consumed >= fault.times or fault.action not in actions:
                continue
            if not fnmatchcase(operation, fault.operation):
                continue
            fault.seen += 1
            if fault.seen > fault.after:
                fault.consumed += 1
                return fault
        return None


class CallFaults(Faults):
    """Faults of an emulator that answers calls and delivers nothing, so has nothing to drop, double or reorder."""

    ACTIONS: tuple[Action, ...] = ("error", "delay", "lose_answer", "crash_before", "crash_after")

    def add(self, fault: Fault) -> Fault:
        """Order a fault.

        Raises:
            ValueError: its action has no meaning for a call.
        """
        if fault.action not in self.ACTIONS:
            raise ValueError(f"A call's faults are {', '.join(self.ACTIONS)}. Got {fault.action!r}.")
        return super().add(fault)


class CallAndDeliveryFaults(Faults):
    """Faults of an emulator whose calls answer, and whose operations named `deliveries` send something to somebody."""

    DELIVERY_ONLY: tuple[Action, ...] = ("drop", "double", "reorder")

    def __init__(self, *deliveries: str) -> None:
        super().__init__()
        self._deliveries = deliveries

    def add(self, fault: Fault) -> Fault:
        """Order a fault.

        Raises:
            ValueError: it would drop, double or reorder what is no delivery.
        """
        meets_delivery = any(fnmatchcase(each, fault.operation) for each in self._deliveries)
        if fault.action in self.DELIVERY_ONLY and not meets_delivery:
            known = ", ".join(self._deliveries)
            raise ValueError(f"The action {fault.action!r} is for deliveries: {known}. Got {fault.operation!r}.")
        return super().add(fault)


def die() -> None:
    """End this process as `kill -9` would: nothing is flushed, nobody is told."""
    os.kill(os.getpid(), signal.SIGKILL)
