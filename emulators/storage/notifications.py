"""storage.notifications.*: which changes of a bucket are told to which Pub/Sub topic."""

import re
from typing import Any

import orjson

from emulators.storage.calls import NO_CONTENT, Call, Reply, json_reply
from emulators.storage.errors import StorageError, invalid
from emulators.storage.state import Store

Resource = dict[str, Any]

EVENTS = ("OBJECT_FINALIZE", "OBJECT_METADATA_UPDATE", "OBJECT_DELETE", "OBJECT_ARCHIVE")
_TOPIC = re.compile(r"(?://pubsub\.googleapis\.com/)?(projects/[^/]+/topics/[^/]+)")
_FIELDS = ("event_types", "object_name_prefix", "custom_attributes")


def create(store: Store, bucket: str, given: Resource) -> Resource:
    """Add a configuration within the caller's transaction.

    Raises:
        StorageError: 404 no bucket, 400 a wrong topic, event or payload format.
    """
    store.bucket(bucket)
    topic = _TOPIC.fullmatch(str(given.get("topic", "")))
    if topic is None:
        raise invalid(
            f"'topic' must be //pubsub.googleapis.com/projects/PROJECT/topics/TOPIC. Got {given.get('topic')!r}."
        )
    for event in given.get("event_types", []):
        if event not in EVENTS:
            raise invalid(f"'event_types' may hold {', '.join(EVENTS)}. Got {event!r}.")
    payload = given.get("payload_format", "JSON_API_V1")
    if payload not in ("JSON_API_V1", "NONE"):
        raise invalid(f"'payload_format' must be JSON_API_V1 or NONE. Got {payload!r}.")
    last = store.value("SELECT max(CAST(id AS INTEGER)) FROM notifications WHERE bucket = ?", bucket)
    number = str(int(last or 0) + 1)
    resource: Resource = {
        "kind": "storage#notification",
        "id": number,
        "topic": f"//pubsub.googleapis.com/{topic[1]}",
        "payload_format": payload,
        "etag": number,
    }
    resource |= {field: given[field] for field in _FIELDS if given.get(field)}
    store.run("INSERT INTO notifications VALUES (?, ?, ?)", bucket, number, orjson.dumps(resource))
    return resource


async def insert(call: Call) -> Reply:
    """storage.notifications.insert."""
    given = await call.json()
    with call.transaction() as store:
        resource = create(store, call.path["bucket"], given)
    return json_reply(_shown(call, resource))


async def get(call: Call) -> Reply:
    """storage.notifications.get."""
    return json_reply(_shown(call, _find(call)))


async def list_all(call: Call) -> Reply:
    """storage.notifications.list."""
    bucket = call.store.bucket(call.path["bucket"])["name"]
    rows = call.store.rows("SELECT resource FROM notifications WHERE bucket = ? ORDER BY CAST(id AS INTEGER)", bucket)
    return json_reply({"kind": "storage#notifications", "items": [_shown(call, orjson.loads(row[0])) for row in rows]})


async def delete(call: Call) -> Reply:
    """storage.notifications.delete; what is already in the outbox is still published."""
    with call.transaction() as store:
        found = _find(call)
        store.run("DELETE FROM notifications WHERE bucket = ? AND id = ?", call.path["bucket"], found["id"])
    return NO_CONTENT


def _find(call: Call) -> Resource:
    bucket, wanted = call.path["bucket"], call.path["notification"]
    call.store.bucket(bucket)
    stored = call.store.value("SELECT resource FROM notifications WHERE bucket = ? AND id = ?", bucket, wanted)
    if stored is None:
        raise StorageError(404, "notFound", f"Bucket {bucket!r} has no notification configuration {wanted!r}.")
    resource: Resource = orjson.loads(stored)
    return resource


def _shown(call: Call, resource: Resource) -> Resource:
    bucket = call.path["bucket"]
    return {**resource, "selfLink": f"{call.base_url}/storage/v1/b/{bucket}/notificationConfigs/{resource['id']}"}
