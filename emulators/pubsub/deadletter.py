"""A message as it arrives at the dead-letter topic: https://cloud.google.com/pubsub/docs/handling-failures."""

from typing import Any

from google.pubsub_v1 import types

from emulators.pubsub import limits
from emulators.pubsub.entry import Entry
from emulators.pubsub.names import id_of, project_of

_PREFIX = "CloudPubSubDeadLetterSource"


def forwarded(subscription: Any, entry: Entry) -> Any:
    """A new PubsubMessage with the old one's data, attributes and key, and where it comes from."""
    old = entry.message.body
    body = types.PubsubMessage.pb()(data=old.data, ordering_key=old.ordering_key, attributes=old.attributes)
    body.attributes[_PREFIX + "DeliveryCount"] = str(entry.failures)
    body.attributes[_PREFIX + "Subscription"] = id_of(subscription.name)
    body.attributes[_PREFIX + "SubscriptionProject"] = project_of(subscription.name)
    body.attributes[_PREFIX + "TopicPublishTime"] = old.publish_time.ToJsonString()
    if entry.error:
        body.attributes[_PREFIX + "DeliveryErrorMessage"] = _cut(entry.error)
    return body


def _cut(text: str) -> str:
    """As much of a text as an attribute may hold."""
    return text.encode()[: limits.ATTRIBUTE_VALUE_BYTES].decode(errors="ignore")
