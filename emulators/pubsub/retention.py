"""What time takes away: old messages, retained ones, topic logs, snapshots, and subscriptions nobody uses."""

import asyncio
from typing import TYPE_CHECKING

from emulators.pubsub.subscription import seconds_of

if TYPE_CHECKING:
    from emulators.pubsub.state import PubSub
    from emulators.pubsub.topic import Topic

_SWEEP_SECONDS = 5.0


def sweep(pubsub: "PubSub") -> None:
    """Let everything go whose time is over by the emulator's clock; the caller then flushes the store."""
    now = pubsub.clock.now()
    for subscription in list(pubsub.subscriptions.values()):
        ttl = subscription.config.expiration_policy.ttl
        idle = now - subscription.active_at
        if seconds_of(ttl) and idle > seconds_of(ttl) and not subscription.queue.consumers:
            pubsub.delete_subscription(subscription)
        else:
            subscription.expire(now - seconds_of(subscription.config.message_retention_duration))
    for topic in pubsub.topics.values():
        trim_log(pubsub, topic, now - seconds_of(topic.config.message_retention_duration))
    for snapshot in list(pubsub.snapshots.values()):
        if seconds_of(snapshot.config.expire_time) < now:
            pubsub.delete_snapshot(snapshot)


def trim_log(pubsub: "PubSub", topic: "Topic", before: float) -> None:
    """Let go of what a topic keeps from before `before`."""
    old = []
    for message in topic.log.values():
        if message.published >= before:
            break
        old.append(message)
    for message in old:
        del topic.log[message.seq]
    pubsub.store.release([(topic.uid, message.seq) for message in old])
    pubsub.drop(old)


async def keep_sweeping(pubsub: "PubSub") -> None:
    """Sweep for as long as the emulator runs."""
    while True:
        await asyncio.sleep(_SWEEP_SECONDS)
        sweep(pubsub)
        await pubsub.store.flush()
