"""What the service allows in sizes, counts and durations: https://cloud.google.com/pubsub/quotas."""

from typing import Any

from emulators.pubsub.errors import invalid, too_large, too_small

DAY = 86_400
PUBLISH_BYTES = 10_000_000
PUBLISH_MESSAGES = 1_000
DATA_BYTES = 10_000_000
ATTRIBUTES = 100
ATTRIBUTE_KEY_BYTES = 256
ATTRIBUTE_VALUE_BYTES = 1_024
ORDERING_KEY_BYTES = 1_024
ACK_IDS_BYTES = 524_288
ACK_DEADLINE_SECONDS = (10, 600)
DELIVERY_ATTEMPTS = (5, 100)
RETENTION_SECONDS = (600, 31 * DAY)
BACKOFF_SECONDS = (0, 600)
EXPIRATION_SECONDS = DAY


def check_publish(request: Any) -> None:
    """Raises INVALID_ARGUMENT for a PublishRequest outside the limits."""
    if not request.messages:
        raise too_small("message_count", 0, 1)
    if len(request.messages) > PUBLISH_MESSAGES:
        raise too_large("message_count", len(request.messages), PUBLISH_MESSAGES)
    if request.ByteSize() > PUBLISH_BYTES + 1_000:  # the limit is on the messages; the frame around them is small
        raise too_large("request_size", request.ByteSize(), PUBLISH_BYTES)
    for message in request.messages:
        if message.attributes:
            _check_attributes(message.attributes)
        elif not message.data:
            raise invalid(
                "One or more messages in the publish request is empty. Each message must contain either non-empty"
                " data, or at least one attribute."
            )
        if len(message.data) > DATA_BYTES:
            raise too_large("message_data_bytes", len(message.data), DATA_BYTES)
        if message.ordering_key and len(message.ordering_key.encode()) > ORDERING_KEY_BYTES:
            raise too_large("ordering_key_bytes", len(message.ordering_key.encode()), ORDERING_KEY_BYTES)


def _check_attributes(attributes: Any) -> None:
    if len(attributes) > ATTRIBUTES:
        raise too_large("attribute_count", len(attributes), ATTRIBUTES)
    for key, value in attributes.items():
        if not key:
            raise invalid("An attribute key is empty; expected 1 to 256 bytes.")
        if len(key.encode()) > ATTRIBUTE_KEY_BYTES:
            raise too_large("attribute_key_bytes", len(key.encode()), ATTRIBUTE_KEY_BYTES)
        if len(value.encode()) > ATTRIBUTE_VALUE_BYTES:
            raise too_large("attribute_value_bytes", len(value.encode()), ATTRIBUTE_VALUE_BYTES)
        if key.startswith("goog"):
            raise invalid(f"The attribute key {key!r} is reserved: keys may not begin with 'goog'.")


def check_ack_ids(request: Any) -> None:
    """Raises INVALID_ARGUMENT for an acknowledgement without ids or larger than 512 KiB."""
    if not request.ack_ids:
        raise invalid("The request has no ack_ids; expected at least one.")
    if request.ByteSize() > ACK_IDS_BYTES:
        raise too_large("request_size", request.ByteSize(), ACK_IDS_BYTES)


def check_between(field: str, found: int, limits: tuple[int, int]) -> None:
    """Raises INVALID_ARGUMENT when `found` lies outside `limits`."""
    if found < limits[0]:
        raise too_small(field, found, limits[0])
    if found > limits[1]:
        raise too_large(field, found, limits[1])
