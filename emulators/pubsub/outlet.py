"""What sends a subscription's messages somewhere by itself: the pusher of a push, the exporter of an export."""

from typing import Protocol

from emulators.pubsub.entry import Entry


class Outlet(Protocol):
    """The one consumer of a subscription that cannot be pulled; `kind` is the field of a Subscription that wants it."""

    kind: str

    def configure(self) -> None:
        """Take up a changed configuration of the same kind."""

    def expired(self, entry: Entry) -> None:
        """The lease of a message under way ended, by its deadline or by a seek."""

    def close(self) -> None:
        """Stop; what is under way comes again."""
