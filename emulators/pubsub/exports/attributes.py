"""The attributes of a message as exports write them."""

from typing import Any


def attributes(body: Any) -> dict[str, str]:
    """Those of a PubsubMessage, its ordering key among them."""
    found = dict(body.attributes)
    if body.ordering_key:
        found["ordering_key"] = body.ordering_key
    return found
