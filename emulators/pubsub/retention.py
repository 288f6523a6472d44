"""What time takes away: old messages, retained ones, topic logs, snapshots, and subscriptions nobody uses."""

import asyncio

from emulators.pubsub.state import PubSub
from emulators.pubsub.subscription import seconds_of
from emulators.pubsub.topic import trim_log

_SWEEP_SECONDS = 5.0


def sweep(pubsub: PubSub) -> None:
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


async def keep_sweeping(pubsub: PubSub) -> None:
    """Sweep for as long as the emulator runs."""
    while True:
        await asyncio.sleep(_SWEEP_SECONDS)
        sweep(pubsub)
        await pubsub.store.flush()
