"""One topic: its configuration, who reads it, and what its own retention keeps."""

from typing import Any

from emulators.pubsub.message import Message
from emulators.pubsub.runtime import Runtime
from emulators.pubsub.snapshots import Snapshot
from emulators.pubsub.subscription import Subscription


class Topic:
    """`config` is the google.pubsub.v1.Topic as clients see it; `log` is what its retention keeps."""

    def __init__(self, config: Any, uid: int) -> None:
        self.config = config
        self.uid = uid
        self.subscriptions: dict[str, Subscription] = {}
        self.snapshots: dict[str, Snapshot] = {}
        self.log: dict[int, Message] = {}

    @property
    def name(self) -> str:
        """The full name."""
        return str(self.config.name)


def show_topic_retention(config: Any, topic: Topic) -> None:
    """Repeat the topic's retention in a subscription's configuration, where the service shows it."""
    config.ClearField("topic_message_retention_duration")
    if topic.config.HasField("message_retention_duration"):
        config.topic_message_retention_duration.CopyFrom(topic.config.message_retention_duration)


def trim_log(runtime: Runtime, topic: Topic, before: float) -> None:
    """Let go of what a topic keeps from before `before`."""
    old = []
    for message in topic.log.values():
        if message.published >= before:
            break
        old.append(message)
    for message in old:
        del topic.log[message.seq]
    runtime.store.release([(topic.uid, message.seq) for message in old])
    runtime.drop(old)
