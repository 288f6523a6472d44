"""The way of a message from its publisher into the store and every backlog that wants it."""

from collections.abc import Callable, Sequence
from typing import Any

from emulators.pubsub.message import Message
from emulators.pubsub.runtime import Runtime
from emulators.pubsub.subscription import Subscription
from emulators.pubsub.topic import Topic


def accept(runtime: Runtime, topic: Topic, bodies: Sequence[Any]) -> tuple[list[Message], Callable[[], None]]:
    """Give messages their ids and queue their writes.

    The function returned puts them in line; call it once the writes are committed.
    """
    messages = _stamped(runtime, topic, bodies)
    plan: list[tuple[Subscription, list[Message]]] = []
    holdings: list[tuple[int, int, int, int]] = []
    for subscription in topic.subscriptions.values():
        if subscription.config.detached:
            continue
        wanted = messages
        if subscription.config.filter:
            wanted = [message for message in messages if subscription.matches(message.body.attributes)]
        plan.append((subscription, wanted))
        holdings.extend((subscription.uid, message.seq, 0, 0) for message in wanted)
        for message in wanted:
            message.holders += 1
    logs = [(snapshot.uid, snapshot.messages) for snapshot in topic.snapshots.values()]
    if topic.config.HasField("message_retention_duration"):
        logs.append((topic.uid, topic.log))
    for uid, log in logs:
        holdings.extend((uid, message.seq, 0, 1) for message in messages)
        for message in messages:
            message.holders += 1
            log[message.seq] = message
    if runtime.store.keeps:
        held = [message for message in messages if message.holders]
        runtime.store.add_messages([(m.seq, m.topic, m.published, m.body.SerializeToString()) for m in held])
        runtime.store.hold(holdings)

    def deliver() -> None:
        for subscription, wanted in plan:
            if subscription.closed or subscription.config.detached:
                runtime.drop(wanted)
            else:
                subscription.add(wanted)

    return messages, deliver


def _stamped(runtime: Runtime, topic: Topic, bodies: Sequence[Any]) -> list[Message]:
    now = runtime.clock.now()
    messages: list[Message] = []
    for body in bodies:
        seq = runtime.next_id()
        body.message_id = str(seq)
        body.publish_time.FromNanoseconds(int(now * 1e6) * 1000)
        messages.append(Message(seq, topic.name, now, body))
    return messages
