"""Snapshots: what a subscription had not acknowledged at one moment, and what was published since."""

from typing import Any

from emulators.pubsub.message import Message


class Snapshot:
    """`config` is the google.pubsub.v1.Snapshot as clients see it."""

    def __init__(self, config: Any, uid: int) -> None:
        self.config = config
        self.uid = uid
        self.messages: dict[int, Message] = {}

    @property
    def name(self) -> str:
        """The full name."""
        return str(self.config.name)
