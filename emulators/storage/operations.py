"""storage.buckets.operations.*: what the service does in the background, and the emulator at once.

An operation is done by the time its first answer leaves, in one transaction with its record.
"""

from typing import Any
from uuid import uuid4

import orjson

from emulators.storage.calls import Call, Reply, json_reply
from emulators.storage.errors import StorageError
from emulators.storage.resources import rfc3339
from emulators.storage.state import Store

Resource = dict[str, Any]

_TYPES = "type.googleapis.com/google.storage.control.v2."


def record(store: Store, bucket: str, kind: str, metadata: Resource, response: Resource) -> Resource:
    """Store an operation that is done, within the caller's transaction; `kind` is that of its metadata's type."""
    now = rfc3339(store.clock.now())
    number = uuid4().hex
    resource: Resource = {
        "kind": "storage#operation",
        "name": f"projects/_/buckets/{bucket}/operations/{number}",
        "metadata": {
            "@type": f"{_TYPES}{kind}Metadata",
            "commonMetadata": {"createTime": now, "endTime": now, "updateTime": now, "progressPercent": 100},
            **metadata,
        },
        "done": True,
        "response": response,
    }
    store.run("INSERT INTO operations VALUES (?, ?, ?)", bucket, number, orjson.dumps(resource))
    return resource


def shown(call: Call, resource: Resource) -> Resource:
    """With its link."""
    _, _, path = str(resource["name"]).partition("buckets/")
    return {**resource, "selfLink": f"{call.base_url}/storage/v1/b/{path}"}


async def get(call: Call) -> Reply:
    """storage.buckets.operations.get."""
    return json_reply(shown(call, _find(call)))


async def list_all(call: Call) -> Reply:
    """storage.buckets.operations.list: oldest first."""
    bucket = call.store.bucket(call.path["bucket"])["name"]
    rows = call.store.rows("SELECT resource FROM operations WHERE bucket = ? ORDER BY rowid", bucket)
    listed = [shown(call, orjson.loads(resource)) for (resource,) in rows]
    return json_reply({"kind": "storage#operations", "operations": listed})


async def cancel(call: Call) -> Reply:
    """storage.buckets.operations.cancel: of what is done nothing can be cancelled, and that is no error."""
    _find(call)
    return json_reply({})


def _find(call: Call) -> Resource:
    bucket, wanted = call.path["bucket"], call.path["operation"]
    call.store.bucket(bucket)
    stored = call.store.value("SELECT resource FROM operations WHERE bucket = ? AND id = ?", bucket, wanted)
    if stored is None:
        raise StorageError(404, "notFound", f"Bucket {bucket!r} has no operation {wanted!r}.")
    resource: Resource = orjson.loads(stored)
    return resource
