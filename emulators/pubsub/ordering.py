"""Messages of one ordering key in one subscription: delivered in order, and again in order from one that failed.

"When the Pub/Sub service redelivers a message with an ordering key, the Pub/Sub service also redelivers every
subsequent message with the same ordering key, including acknowledged messages":
https://cloud.google.com/pubsub/docs/ordering
"""

from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING

from emulators.pubsub.message import Entry, Place

if TYPE_CHECKING:
    from emulators.pubsub.consumer import Consumer


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
