"""Topics and subscriptions from JSON, for the control plane's `seed`."""

from typing import Any

from google.protobuf import json_format
from google.pubsub_v1 import types

from emulators.pubsub.errors import ServiceError
from emulators.pubsub.publisher import Publisher
from emulators.pubsub.state import PubSub
from emulators.pubsub.subscriber import Subscriber


async def seed(pubsub: PubSub, data: dict[str, Any]) -> None:
    """Create what `data` lists under "topics" and "subscriptions", each in the REST API's form.

    Raises:
        ValueError: a key or a resource that cannot be read or created; the message names it.
    """
    unknown = set(data) - {"topics", "subscriptions"}
    if unknown:
        raise ValueError(f"Expected the keys 'topics' and 'subscriptions', found {sorted(unknown)}.")
    try:
        for topic in data.get("topics", []):
            await Publisher(pubsub).create_topic(json_format.ParseDict(topic, types.Topic.pb()()))
        for subscription in data.get("subscriptions", []):
            await Subscriber(pubsub).create_subscription(json_format.ParseDict(subscription, types.Subscription.pb()()))
    except (json_format.ParseError, ServiceError) as error:
        raise ValueError(str(error)) from error
