"""What stands in the files that a Cloud Storage subscription writes: lines of text, or Avro.

https://cloud.google.com/pubsub/docs/cloudstorage
"""

from collections.abc import Iterable, Sequence
from io import BytesIO
from typing import Any

import fastavro

from emulators.pubsub.exports.attributes import attributes
from emulators.pubsub.misfit import Misfit

_DATA = {"name": "data", "type": "bytes"}
_METADATA = [
    {"name": "subscription_name", "type": "string"},
    {"name": "message_id", "type": "string"},
    {"name": "publish_time", "type": {"type": "long", "logicalType": "timestamp-micros"}},
    {"name": "attributes", "type": {"type": "map", "values": "string"}},
]


def text(bodies: Iterable[Any]) -> bytes:
    """Each message's data as a line."""
    return b"".join(body.data + b"\n" for body in bodies)


def avro(bodies: Iterable[Any], subscription: str, *, with_metadata: bool) -> bytes:
    """An Avro file of the messages' bytes, with what the service knows of each where that is asked for."""
    schema = {
        "type": "record",
        "namespace": "com.google.pubsub",
        "name": "PubsubMessageWithMetadata" if with_metadata else "PubsubMessage",
        "fields": [*_METADATA, _DATA] if with_metadata else [_DATA],
    }
    records = [{"data": body.data} | (metadata(subscription, body) if with_metadata else {}) for body in bodies]
    return avro_file(schema, records)


def metadata(subscription: str, body: Any) -> dict[str, Any]:
    """The fields beside the data; an ordering key is one of the attributes."""
    return {
        "subscription_name": subscription,
        "message_id": body.message_id,
        "publish_time": body.publish_time.ToMicroseconds(),
        "attributes": attributes(body),
    }


def with_metadata_fields(schema: dict[str, Any]) -> dict[str, Any]:
    """A topic's record schema with the metadata's fields before its own."""
    return {**schema, "fields": [*_METADATA, *schema["fields"]]}


def check_record(schema: Any, record: dict[str, Any]) -> None:
    """Raises Misfit for a record of an older revision that the newest, by which the file is written, cannot hold."""
    try:
        fastavro.schemaless_writer(BytesIO(), schema, record)
    except (ValueError, TypeError, KeyError, OverflowError) as error:
        raise Misfit(f"expected a record of the schema's newest revision: {error}") from error


def avro_file(schema: Any, records: Sequence[dict[str, Any]]) -> bytes:
    """A whole Avro file."""
    out = BytesIO()
    fastavro.writer(out, fastavro.parse_schema(schema), records, codec="deflate")
    return out.getvalue()
