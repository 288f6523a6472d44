"""What exists: topics, subscriptions, snapshots and policies, and the way of a message from publish to backlog."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from emulators.pubsub import deadletter, outlets
from emulators.pubsub.durable import Memory
from emulators.pubsub.entry import Entry
from emulators.pubsub.errors import not_found
from emulators.pubsub.names import DELETED_TOPIC
from emulators.pubsub.publishing import accept
from emulators.pubsub.runtime import Runtime
from emulators.pubsub.schemas import DELETED_SCHEMA
from emulators.pubsub.snapshots import Snapshot
from emulators.pubsub.subscription import Subscription
from emulators.pubsub.topic import Topic, show_topic_retention, trim_log


class PubSub(Runtime):
    """Everything that clients created."""

    def __init__(self, store: Memory) -> None:
        super().__init__(store)
        self.topics: dict[str, Topic] = {}
        self.subscriptions: dict[str, Subscription] = {}
        self.snapshots: dict[str, Snapshot] = {}
        self.policies: dict[str, Any] = {}

    # Finding

    def topic(self, name: str) -> Topic:
        """The topic of this full name, or NOT_FOUND."""
        return _found(self.topics, name)

    def subscription(self, name: str) -> Subscription:
        """The subscription of this full name, or NOT_FOUND."""
        return _found(self.subscriptions, name)

    def snapshot(self, name: str) -> Snapshot:
        """The snapshot of this full name, or NOT_FOUND."""
        return _found(self.snapshots, name)

    # Creating, changing and deleting; callers then await `store.flush()`

    def put_topic(self, config: Any, uid: int | None = None) -> Topic:
        """Create a topic, or give an existing one a new configuration."""
        topic = self.topics.get(config.name)
        if topic is None:
            topic = self.topics[config.name] = Topic(config, uid or self.next_id())
        topic.config = config
        self.store.save("topic", topic.name, topic.uid, config.SerializeToString())
        if not config.HasField("message_retention_duration"):
            trim_log(self, topic, float("inf"))
        for subscription in topic.subscriptions.values():
            show_topic_retention(subscription.config, topic)
        return topic

    def delete_topic(self, topic: Topic) -> None:
        """Delete a topic; its subscriptions keep their backlog."""
        trim_log(self, topic, float("inf"))
        for subscription in topic.subscriptions.values():
            subscription.config.topic = DELETED_TOPIC
            subscription.config.ClearField("topic_message_retention_duration")
            self._save_subscription(subscription)
        del self.topics[topic.name]
        self.store.remove("topic", topic.name)
        self.set_policy(topic.name, None)

    def put_subscription(self, config: Any, uid: int | None = None) -> Subscription:
        """Create a subscription, or give an existing one a new configuration."""
        subscription = self.subscriptions.get(config.name)
        topic = self.topics.get(config.topic)
        if subscription is None:
            subscription = Subscription(self, config, uid or self.next_id(), self.forward_dead_letter)
            self.subscriptions[config.name] = subscription
            if topic is not None:
                topic.subscriptions[config.name] = subscription
        if topic is not None:
            show_topic_retention(config, topic)
        subscription.configure(config)
        self._save_subscription(subscription)
        self.start_outlet(subscription)
        return subscription

    def delete_subscription(self, subscription: Subscription) -> None:
        """Delete a subscription and its backlog."""
        subscription.close()
        subscription.clear()
        del self.subscriptions[subscription.name]
        if subscription.config.topic in self.topics:
            self.topics[subscription.config.topic].subscriptions.pop(subscription.name, None)
        self.store.remove("subscription", subscription.name)
        self.set_policy(subscription.name, None)

    def put_snapshot(self, snapshot: Snapshot) -> None:
        """Create a snapshot, or keep its new labels."""
        if snapshot.name not in self.snapshots:
            self.snapshots[snapshot.name] = snapshot
            if snapshot.config.topic in self.topics:
                self.topics[snapshot.config.topic].snapshots[snapshot.name] = snapshot
        self.store.save("snapshot", snapshot.name, snapshot.uid, snapshot.config.SerializeToString())

    def delete_snapshot(self, snapshot: Snapshot) -> None:
        """Delete a snapshot and what only it kept."""
        del self.snapshots[snapshot.name]
        if snapshot.config.topic in self.topics:
            self.topics[snapshot.config.topic].snapshots.pop(snapshot.name, None)
        self.store.remove("snapshot", snapshot.name)
        self.store.release_all(snapshot.uid)
        self.drop(list(snapshot.messages.values()))
        self.set_policy(snapshot.name, None)

    def add_schema_revision(self, revision: Any) -> None:
        """Make this google.pubsub.v1.Schema the newest of its name."""
        self.schemas.revisions.setdefault(revision.name, []).append(revision)
        key = f"{revision.name}@{revision.revision_id}"
        self.store.save("schema", key, self.next_id(), revision.SerializeToString())

    def delete_schema_revision(self, revision: Any) -> None:
        """Forget one revision; the caller sees that it is not the last."""
        self.schemas.revisions[revision.name].remove(revision)
        self.store.remove("schema", f"{revision.name}@{revision.revision_id}")

    def delete_schema(self, name: str) -> None:
        """Delete a schema with its revisions; topics that use it then refuse every message."""
        for revision in self.schemas.revisions.pop(name):
            self.store.remove("schema", f"{name}@{revision.revision_id}")
        for topic in self.topics.values():
            if topic.config.schema_settings.schema == name:
                topic.config.schema_settings.schema = DELETED_SCHEMA
                self.put_topic(topic.config)
        self.set_policy(name, None)

    def set_policy(self, resource: str, policy: Any) -> None:
        """Keep a resource's IAM policy; None forgets it."""
        if policy is None:
            if self.policies.pop(resource, None) is not None:
                self.store.remove("policy", resource)
            return
        self.policies[resource] = policy
        self.store.save("policy", resource, 0, policy.SerializeToString())

    def _save_subscription(self, subscription: Subscription) -> None:
        self.store.save("subscription", subscription.name, subscription.uid, subscription.config.SerializeToString())

    # Outlets

    def start_outlet(self, subscription: Subscription) -> None:
        """Begin to push or export, where the configuration asks for it; needs a running event loop."""
        outlets.start(self, subscription, self.schema_settings)

    async def check_outlet(self, config: Any) -> None:
        """Raises NOT_FOUND or FAILED_PRECONDITION where a subscription's export could not be written."""
        await outlets.check(self, config, self.schema_settings)

    def schema_settings(self, topic: str) -> Any:
        """The SchemaSettings of the topic of this full name, None without."""
        found = self.topics.get(topic)
        return found.config.schema_settings if found and found.config.HasField("schema_settings") else None

    # Messages

    async def publish(self, topic: Topic, bodies: Sequence[Any]) -> list[str]:
        """Store messages, durably, then put them in line; returns their ids.

        Raises:
            ServiceError: INVALID_ARGUMENT, a message is not of the topic's schema.
        """
        if topic.config.HasField("schema_settings"):
            self.schemas.check_messages(topic.config.schema_settings, bodies)
        messages, deliver = accept(self, topic, bodies)
        # Shielded: a caller that hangs up must not leave messages that are stored and in no line until a restart.
        await asyncio.shield(self.spawn(self._commit(deliver)))
        return [str(message.seq) for message in messages]

    def forward_dead_letter(self, subscription: Subscription, entry: Entry) -> bool:
        """Move a message to its dead-letter topic; False when there is no such topic, so that it stays."""
        topic = self.topics.get(subscription.config.dead_letter_policy.dead_letter_topic)
        if topic is None:
            return False
        body = deadletter.forwarded(subscription.config, entry)
        _, deliver = accept(self, topic, [body])
        self.store.release([(subscription.uid, entry.message.seq)])
        self.drop([entry.message])

        self.spawn(self._commit(deliver))
        return True

    async def _commit(self, deliver: Callable[[], None]) -> None:
        await self.store.flush()
        deliver()


def _found[Found](stored: dict[str, Found], name: str) -> Found:
    if name not in stored:
        raise not_found(name)
    return stored[name]
