"""From a Pub/Sub push to the CloudEvent that Eventarc sends a function, in HTTP's binary content mode.

https://cloud.google.com/eventarc/docs/cloudevents and https://github.com/googleapis/google-cloudevents describe both
forms. The event's id is the message's, so a redelivery carries the same one.
"""

import base64
import binascii
from dataclasses import dataclass
from typing import Any, Self

import orjson

STORAGE_FINALIZED = "google.cloud.storage.object.v1.finalized"
MESSAGE_PUBLISHED = "google.cloud.pubsub.topic.v1.messagePublished"

_INTEGERS_AS_TEXT = ("generation", "metageneration", "size")


@dataclass(frozen=True)
class CloudEvent:
    """One event as HTTP carries it: `headers` with the attributes, `body` with the data as JSON."""

    id: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Push:
    """One wrapped push request, as it came and as it reads."""

    body: bytes
    subscription: str
    message_id: str
    message: dict[str, Any]

    @classmethod
    def parse(cls, body: bytes) -> Self:
        """Read a push. Raises ValueError when this is none."""
        try:
            wrapped = orjson.loads(body)
            message = wrapped["message"]
            message_id = str(message.get("messageId") or message["message_id"])
            return cls(body, str(wrapped["subscription"]), message_id, message)
        except (KeyError, TypeError, AttributeError, orjson.JSONDecodeError) as error:
            raise ValueError(
                "Expected a wrapped Pub/Sub push: {message: {messageId, data, ...}, subscription}."
            ) from error


def published(push: Push, topic: str) -> CloudEvent:
    """The event of a function with a topic trigger: the push itself is its data. `topic` is `projects/P/topics/T`."""
    return _event(
        push.message_id,
        push.body,
        type_=MESSAGE_PUBLISHED,
        source=f"//pubsub.googleapis.com/{topic}",
        time=str(push.message.get("publishTime") or push.message.get("publish_time") or ""),
    )


def finalized(push: Push) -> CloudEvent:
    """The event of a function with a storage trigger: its data is the object resource as the JSON API shows it.

    Raises:
        ValueError: the message is no notification of Cloud Storage.
    """
    attributes = push.message.get("attributes") or {}
    try:
        resource = orjson.loads(base64.b64decode(push.message["data"]))
        bucket, name = attributes["bucketId"], attributes["objectId"]
        data = {**resource, **{key: str(resource[key]) for key in _INTEGERS_AS_TEXT if key in resource}}
    except (KeyError, TypeError, binascii.Error, orjson.JSONDecodeError) as error:
        raise ValueError(
            "Expected a notification in the format JSON_API_V1: the object as JSON in 'data', its place in the "
            f"attributes 'bucketId' and 'objectId'. Got the attributes {sorted(attributes)}."
        ) from error
    return _event(
        push.message_id,
        orjson.dumps(data),
        type_=STORAGE_FINALIZED,
        source=f"//storage.googleapis.com/projects/_/buckets/{bucket}",
        time=str(attributes.get("eventTime") or push.message.get("publishTime") or ""),
        subject=f"objects/{name}",
        bucket=bucket,
    )


def _event(event_id: str, body: bytes, *, type_: str, source: str, time: str, **more: str) -> CloudEvent:
    attributes = {"id": event_id, "specversion": "1.0", "type": type_, "source": source, "time": time, **more}
    headers = {f"ce-{name}": _printable(value) for name, value in attributes.items() if value}
    return CloudEvent(event_id, {"content-type": "application/json", **headers}, body)


def _printable(value: str) -> str:
    """A header's value: what is not printable ASCII, and `%`, `"` and space, percent-encoded as UTF-8.

    https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md#3132-http-header-values
    """
    return "".join(
        character if "!" <= character <= "~" and character not in '%"' else _percent(character) for character in value
    )


def _percent(character: str) -> str:
    return "".join(f"%{byte:02X}" for byte in character.encode())
