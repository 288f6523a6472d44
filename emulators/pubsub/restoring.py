"""The start: what an earlier process kept. Leases are not among it: unacknowledged messages come again."""

from google.iam.v1 import policy_pb2
from google.pubsub_v1 import types

from emulators.pubsub.message import Message
from emulators.pubsub.snapshots import Snapshot
from emulators.pubsub.state import PubSub
from emulators.pubsub.subscription import Subscription
from emulators.pubsub.topic import Topic


def restore(pubsub: PubSub) -> None:
    """Fill an empty emulator from its store."""
    for _, _, body in pubsub.store.resources("schema"):
        revision = types.Schema.pb().FromString(body)
        pubsub.schemas.revisions.setdefault(revision.name, []).append(revision)
    for name, uid, body in pubsub.store.resources("topic"):
        pubsub.topics[name] = Topic(types.Topic.pb().FromString(body), uid)
    for name, uid, body in pubsub.store.resources("subscription"):
        subscription = Subscription(pubsub, types.Subscription.pb().FromString(body), uid, pubsub.forward_dead_letter)
        pubsub.subscriptions[name] = subscription
        if subscription.config.topic in pubsub.topics:
            pubsub.topics[subscription.config.topic].subscriptions[name] = subscription
    for name, uid, body in pubsub.store.resources("snapshot"):
        snapshot = pubsub.snapshots[name] = Snapshot(types.Snapshot.pb().FromString(body), uid)
        if snapshot.config.topic in pubsub.topics:
            pubsub.topics[snapshot.config.topic].snapshots[name] = snapshot
    for name, _, body in pubsub.store.resources("policy"):
        pubsub.policies[name] = policy_pb2.Policy.FromString(body)
    _restore_messages(pubsub)


def _restore_messages(pubsub: PubSub) -> None:
    parse = types.PubsubMessage.pb().FromString
    messages = {seq: Message(seq, topic, at, parse(body)) for seq, topic, at, body in pubsub.store.messages()}
    logs = {topic.uid: topic.log for topic in pubsub.topics.values()}
    logs |= {snapshot.uid: snapshot.messages for snapshot in pubsub.snapshots.values()}
    subscriptions = {subscription.uid: subscription for subscription in pubsub.subscriptions.values()}
    for holder, seq, failures, acked in pubsub.store.holdings():
        message = messages.get(seq)
        if message is None or (holder not in logs and holder not in subscriptions):
            continue
        message.holders += 1
        if holder in logs:
            logs[holder][seq] = message
        elif acked:
            subscriptions[holder].retained[seq] = message
        else:
            subscriptions[holder].queue.add(message, failures)
    pubsub.store.remove_messages([message.seq for message in messages.values() if not message.holders])
