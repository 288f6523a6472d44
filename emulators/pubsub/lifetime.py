"""The emulator as a whole: its start, its end, and what the control plane does with it."""

from typing import Any

from emulators.pubsub import retention
from emulators.pubsub.durable import Memory
from emulators.pubsub.restoring import restore
from emulators.pubsub.seeding import seed
from emulators.pubsub.state import PubSub


class Lifetime:
    """`pubsub` from what an earlier process kept to the end of this one, as `emulators.control` wants it."""

    name = "pubsub"

    def __init__(self, store: Memory) -> None:
        self.pubsub = PubSub(store)
        self.clock, self.faults = self.pubsub.clock, self.pubsub.faults
        restore(self.pubsub)

    def start(self) -> None:
        """Begin what runs beside the calls; needs a running event loop."""
        for subscription in self.pubsub.subscriptions.values():
            self.pubsub.start_outlet(subscription)
        self.pubsub.spawn(retention.keep_sweeping(self.pubsub))

    async def close(self) -> None:
        """Stop what runs beside the calls, and let go of the store."""
        for subscription in self.pubsub.subscriptions.values():
            subscription.close()
        await self.pubsub.stop()

    async def reset(self) -> None:
        """Forget everything stored; open streams end with NOT_FOUND."""
        stored = self.pubsub
        for subscription in stored.subscriptions.values():
            subscription.close()
        for kind in (stored.topics, stored.subscriptions, stored.snapshots, stored.policies, stored.schemas.revisions):
            kind.clear()
        stored.store.clear()
        await stored.store.flush()

    async def seed(self, data: dict[str, Any]) -> None:
        """Create `{"topics": [Topic, ...], "subscriptions": [Subscription, ...]}`, in the REST API's JSON form."""
        await seed(self.pubsub, data)

    async def health(self) -> dict[str, Any]:
        """Counts worth showing."""
        subscriptions = self.pubsub.subscriptions.values()
        return {
            "topics": len(self.pubsub.topics),
            "subscriptions": len(subscriptions),
            "snapshots": len(self.pubsub.snapshots),
            "schemas": len(self.pubsub.schemas.revisions),
            "unacknowledged": sum(len(each.queue.entries) for each in subscriptions),
            "leased": sum(each.queue.leased() for each in subscriptions),
        }

    async def tick(self) -> None:
        """The clock was advanced: ack deadlines, back-offs, retention and expiry follow."""
        retention.sweep(self.pubsub)
        for subscription in list(self.pubsub.subscriptions.values()):
            subscription.tick()
            subscription.queue.notify()  # a push that pauses by the clock, or a file that is full by it, goes on
        await self.pubsub.store.flush()
