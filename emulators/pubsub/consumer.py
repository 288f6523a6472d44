"""One who takes messages from a subscription, and how much it may hold at a time."""

from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from emulators.pubsub.message import Entry
from emulators.pubsub.ordering import Lane


class Delivery(NamedTuple):
    """A message on its way to a consumer, under an acknowledgement id."""

    ack_id: str
    entry: Entry


class Consumer:
    """One who takes messages: a stream, a pull, or the pusher. Limits of 0 mean none.

    `wake` is called when there may be something to take; `expired` when the lease of an entry it holds ran out.
    """

    def __init__(
        self,
        *,
        wake: Callable[[], None],
        deadline_seconds: float,
        max_messages: int = 0,
        max_bytes: int = 0,
        one_per_key: bool = False,
        expired: Callable[[Entry], None] | None = None,
    ) -> None:
        self.wake = wake
        self.deadline_seconds = deadline_seconds
        self.max_messages = max_messages
        self.max_bytes = max_bytes
        self.one_per_key = one_per_key
        self.expired = expired
        self.held = 0
        self.held_bytes = 0
        self.own: deque[Lane] = deque()  # ordering keys that only this consumer may continue
        self.gone = False

    def has_room(self) -> bool:
        """Whether flow control allows another message."""
        return not (0 < self.max_messages <= self.held or 0 < self.max_bytes <= self.held_bytes)
