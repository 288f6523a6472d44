"""storage.objects.bulkRestore: many soft-deleted objects at once, chosen by patterns and by when they were deleted."""

from typing import Any

from emulators.storage import generations, objects, operations
from emulators.storage.calls import Call, Reply, json_reply
from emulators.storage.glob import compiled
from emulators.storage.resources import from_rfc3339
from emulators.storage.state import Generation, Store

Resource = dict[str, Any]


async def bulk_restore(call: Call) -> Reply:
    """As an operation that is done at once. Of several deleted generations of a name the newest comes back.

    A live object of the name is overwritten with `allowOverwrite` only, else the name is passed over.
    """
    given = await call.json()
    with call.transaction() as store:
        bucket = store.bucket(call.path["bucket"])
        chosen = _chosen(store, bucket["name"], given)
        restored = [found for found in chosen if _restored(store, bucket, found, given)]
        metadata = {
            "succeededCount": str(len(restored)),
            "skippedCount": str(len(chosen) - len(restored)),
            "failedCount": "0",
        }
        operation = operations.record(store, bucket["name"], "BulkRestoreObjects", metadata, {})
    return json_reply(operations.shown(call, operation))


def _chosen(store: Store, bucket: str, given: Resource) -> list[Generation]:
    globs = [compiled(pattern) for pattern in given.get("matchGlobs") or ["**"]]
    after, before = given.get("softDeletedAfterTime"), given.get("softDeletedBeforeTime")
    earliest = from_rfc3339(after, "softDeletedAfterTime") if after else 0.0
    latest = from_rfc3339(before, "softDeletedBeforeTime") if before else float("inf")
    newest: dict[str, Generation] = {}
    for found in store.select("bucket = ? AND state = 'soft'", bucket):
        deleted = from_rfc3339(found.resource["softDeleteTime"], "softDeleteTime")
        if earliest <= deleted <= latest and any(glob is None or glob.fullmatch(found.name) for glob in globs):
            newest[found.name] = found
    return list(newest.values())


def _restored(store: Store, bucket: Resource, found: Generation, given: Resource) -> bool:
    live = store.live(found.bucket, found.name)
    if live is not None:
        if not given.get("allowOverwrite"):
            return False
        generations.check_not_held(store, live, "overwritten")
        generations.displace(store, bucket, live, by=None)
    objects.revive(store, found)
    return True
