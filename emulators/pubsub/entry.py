"""A message's place in one subscription, and those who hold it there: its ordering key's lane, and its consumer.

The three know each other, so they stand together. Of keys: "When the Pub/Sub service redelivers a message with an
ordering key, the Pub/Sub service also redelivers every subsequent message with the same ordering key, including
acknowledged messages": https://cloud.google.com/pubsub/docs/ordering
"""

from collections import deque
from collections.abc import Callable, Iterator
from enum import Enum
from typing import NamedTuple

from emulators.pubsub.message import Message


class Place(Enum):
    """Where an unacknowledged message stands in its subscription."""

    READY = "ready"
    WAITING = "waiting"  # for its back-off to pass
    LEASED = "leased"  # delivered, and its ack deadline runs
    ACKED = "acked"  # acknowledged, but an earlier one of its ordering key is not
    GONE = "gone"  # acknowledged, forwarded, expired or sought past


class Entry:
    """A message in one subscription. `failures` counts nacks and missed deadlines; `lease` is the last one given.

    `error` says why the last attempt to export it failed.
    """

    __slots__ = ("consumer", "deadline", "error", "failures", "lane", "lease", "message", "place")

    def __init__(self, message: Message, failures: int = 0, lane: "Lane | None" = None) -> None:
        self.message = message
        self.failures = failures
        self.lane = lane
        self.place = Place.READY
        self.lease = 0
        self.deadline = 0.0
        self.error = ""
        self.consumer: Consumer | None = None


class Lane:
    """The queue of one key. `owner` is the one consumer that may get more while any message of the key is out."""

    __slots__ = ("key", "not_before", "owner", "queued", "sent", "unsent")

    def __init__(self, key: str) -> None:
        self.key = key
        self.sent: deque[Entry] = deque()  # delivered; the first of them is not acknowledged
        self.unsent: deque[Entry] = deque()
        self.owner: Consumer | None = None
        self.queued = False  # in line for a consumer
        self.not_before = 0.0

    def may_give(self, consumer: "Consumer") -> bool:
        """Whether `consumer` may get the next message now."""
        if not self.unsent:
            return False
        if not self.sent:
            return True
        return self.owner is consumer and not consumer.one_per_key

    def give(self, consumer: "Consumer") -> Entry:
        """The next message, now out with `consumer`."""
        entry = self.unsent.popleft()
        self.sent.append(entry)
        self.owner = consumer
        return entry

    def acknowledged(self) -> Iterator[Entry]:
        """Let go of the acknowledged messages before the first that is not; yields each."""
        while self.sent and self.sent[0].place is Place.ACKED:
            yield self.sent.popleft()
        if not self.sent:
            self.owner = None

    def rewind(self, failed: Entry) -> list[Entry]:
        """Put `failed` and all after it back in line, acknowledged ones too; returns them, in order."""
        again: list[Entry] = []
        while self.sent:
            entry = self.sent.pop()
            again.append(entry)
            if entry is failed:
                break
        self.unsent.extendleft(again)
        if not self.sent:
            self.owner = None
        return again[::-1]

    def remove(self, entry: Entry) -> None:
        """Forget a message that was forwarded or expired."""
        for line in (self.sent, self.unsent):
            if entry in line:
                line.remove(entry)
        if not self.sent:
            self.owner = None


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
