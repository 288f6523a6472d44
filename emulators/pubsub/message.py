"""One stored message, and its place in one subscription."""

from enum import Enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from emulators.pubsub.consumer import Consumer
    from emulators.pubsub.ordering import Lane


class Message:
    """A published message; `body` is its PubsubMessage, `published` seconds since the epoch, `size` bytes.

    `holders` counts the subscriptions, snapshots and topic logs that still need it; at 0 it leaves the store.
    """

    __slots__ = ("body", "holders", "published", "seq", "size", "topic")

    def __init__(self, seq: int, topic: str, published: float, body: Any) -> None:
        self.seq = seq
        self.topic = topic
        self.published = published
        self.body = body
        self.size: int = body.ByteSize()
        self.holders = 0


class Place(Enum):
    """Where an unacknowledged message stands in its subscription."""

    READY = "ready"
    WAITING = "waiting"  # for its back-off to pass
    LEASED = "leased"  # delivered, and its ack deadline runs
    ACKED = "acked"  # acknowledged, but an earlier one of its ordering key is not
    GONE = "gone"  # acknowledged, forwarded, expired or sought past


class Entry:
    """A message in one subscription. `failures` counts nacks and missed deadlines; `lease` is the last one given."""

    __slots__ = ("consumer", "deadline", "failures", "lane", "lease", "message", "place")

    def __init__(self, message: Message, failures: int = 0, lane: "Lane | None" = None) -> None:
        self.message = message
        self.failures = failures
        self.lane = lane
        self.place = Place.READY
        self.lease = 0
        self.deadline = 0.0
        self.consumer: Consumer | None = None
