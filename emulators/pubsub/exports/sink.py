"""Where an export writes to, and the ways in which that can fail."""

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

from emulators.pubsub.entry import Entry


class Unwritable(Exception):
    """Nothing of a batch could be written; `state` is the export's state by that, such as NOT_FOUND."""

    def __init__(self, state: str, reason: str) -> None:
        super().__init__(reason)
        self.state = state
        self.reason = reason


class Unreachable(Exception):
    """The service did not answer, so nothing was found out about the messages; the text says how it failed."""


class BatchLimits(NamedTuple):
    """When a batch is written: as soon as one of these is reached. 0 bytes mean no limit; seconds from the first."""

    messages: int
    bytes: int
    seconds: float


class Sink(Protocol):
    """A table or a bucket, by a Subscription's configuration. `operation` is the name that faults use."""

    operation: str
    config: Any

    def limits(self) -> BatchLimits:
        """How much to write at once."""

    async def check(self) -> None:
        """Raises Unwritable or Unreachable where nothing can be written."""

    async def write(self, entries: Sequence[Entry]) -> dict[Entry, str]:
        """Write messages; returns those that can never be written as they are, with the reason.

        Raises:
            Unwritable: none of them was written.
            Unreachable: any of them may have been.
        """
