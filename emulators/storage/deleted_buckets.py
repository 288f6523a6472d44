"""Soft-deleted buckets: kept with what was soft-deleted in them until their policy's time is over.

https://cloud.google.com/storage/docs/soft-delete. Meanwhile its rows stand under `NAME#GENERATION`, a name
that no bucket can have, so that a new bucket may take the name.
"""

from typing import Any

import orjson

from emulators.storage.calls import Call, Reply, json_reply
from emulators.storage.errors import StorageError, required
from emulators.storage.presentation import bucket_resource
from emulators.storage.resources import rfc3339
from emulators.storage.state import Store

Resource = dict[str, Any]


def keep(store: Store, bucket: Resource, seconds: int) -> None:
    """Set a bucket that is being deleted aside, within the caller's transaction."""
    now = store.clock.now()
    resource = bucket | {"softDeleteTime": rfc3339(now), "hardDeleteTime": rfc3339(now + seconds)}
    aside = _aside(resource)
    store.run("UPDATE objects SET bucket = ? WHERE bucket = ?", aside, bucket["name"])
    store.run(
        "INSERT INTO deleted_buckets VALUES (?, ?, ?, ?)",
        *(bucket["name"], int(bucket["generation"]), now + seconds, orjson.dumps(resource)),
    )


def find(call: Call) -> Resource:
    """The soft-deleted bucket that a call names by its generation.

    Raises:
        StorageError: 400 no generation, 404 no such bucket among the deleted.
    """
    generation = call.number("generation")
    if generation is None:
        raise required("the query parameter 'generation' of a soft-deleted bucket")
    name = call.path["bucket"]
    found = call.store.value("SELECT resource FROM deleted_buckets WHERE name = ? AND generation = ?", name, generation)
    if found is None:
        raise StorageError(404, "notFound", f"There is no soft-deleted bucket {name!r} of generation {generation}.")
    resource: Resource = orjson.loads(found)
    return resource


def all_of(store: Store) -> list[Resource]:
    """Every soft-deleted bucket, by name and generation."""
    rows = store.rows("SELECT resource FROM deleted_buckets ORDER BY name, generation")
    return [orjson.loads(resource) for (resource,) in rows]


async def restore(call: Call) -> Reply:
    """storage.buckets.restore: with its settings; the objects in it stay soft-deleted, and can be restored after it."""
    with call.transaction() as store:
        found = find(call)
        name = found["name"]
        if store.value("SELECT 1 FROM buckets WHERE name = ?", name):
            raise StorageError(409, "conflict", f"A bucket named {name!r} exists.")
        aside = _aside(found)
        resource = {key: value for key, value in found.items() if key not in ("softDeleteTime", "hardDeleteTime")}
        store.put_bucket(resource)
        store.run("UPDATE objects SET bucket = ? WHERE bucket = ?", name, aside)
        store.run("DELETE FROM deleted_buckets WHERE name = ? AND generation = ?", name, int(found["generation"]))
    return json_reply(bucket_resource(call, resource))


def purge(store: Store) -> None:
    """Remove for good what was deleted long enough ago, within the caller's transaction."""
    for (stored,) in store.rows("SELECT resource FROM deleted_buckets WHERE purge_at <= ?", store.clock.now()):
        resource: Resource = orjson.loads(stored)
        for gone in store.select("bucket = ?", _aside(resource)):
            store.erase(gone)
        store.run(
            "DELETE FROM deleted_buckets WHERE name = ? AND generation = ?",
            *(resource["name"], int(resource["generation"])),
        )


def _aside(resource: Resource) -> str:
    return f"{resource['name']}#{resource['generation']}"
