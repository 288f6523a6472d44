"""One published message."""

from typing import Any


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
