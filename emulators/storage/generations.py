"""What becomes of an object's generations as one is written, changed or deleted: versions, soft delete, holds, events.

Every function here runs inside a transaction of the store.
"""

from typing import Any

from emulators.storage import deleted_buckets, folder_names, outbox
from emulators.storage.blobs import Blob
from emulators.storage.errors import StorageError, invalid
from emulators.storage.preconditions import Preconditions
from emulators.storage.resources import from_rfc3339, new_object, object_name, rfc3339, touched
from emulators.storage.state import Generation, Store

Resource = dict[str, Any]


def write(
    store: Store, bucket_name: str, name: str, given: Resource, blob: Blob, conditions: Preconditions
) -> Generation:
    """Make `blob` the live generation of a name.

    Raises:
        StorageError: 404 no bucket, 412 a precondition, 403 the present generation is held.
    """
    bucket = store.bucket(bucket_name)
    live = store.live(bucket_name, object_name(name))
    check_live(live, conditions)
    if live is not None and not versioned(bucket):
        check_not_held(store, live, "overwritten")
    now = store.clock.now()
    generation = store.next_generation()
    resource = new_object(bucket, name, given, blob, generation, now)
    _retain(bucket, resource, now)
    attributes: dict[str, str] = {}
    if live is not None:
        attributes["overwroteGeneration"] = str(live.generation)
        displace(store, bucket, live, by=generation)
    new = Generation(bucket_name, name, generation, "live", blob.id, resource)
    folder_names.make_parents(store, bucket, name)
    store.insert(new)
    outbox.record(store, "OBJECT_FINALIZE", new, attributes)
    return new


def check_live(live: Generation | None, conditions: Preconditions) -> None:
    """Hold a write to its preconditions on the generation that is live now."""
    if live is None:
        conditions.check(0, None)
    else:
        conditions.check(live.generation, live.metageneration)


def displace(store: Store, bucket: Resource, live: Generation, *, by: int | None) -> None:
    """The live generation stops being live: archived, soft-deleted, or gone."""
    attributes = {} if by is None else {"overwrittenByGeneration": str(by)}
    if versioned(bucket):
        live.state = "noncurrent"
        live.resource["timeDeleted"] = rfc3339(store.clock.now())
        store.update(live)
        outbox.record(store, "OBJECT_ARCHIVE", live, attributes)
    else:
        remove(store, bucket, live, attributes)


def remove(store: Store, bucket: Resource, gone: Generation, attributes: dict[str, str] | None = None) -> None:
    """Delete one generation; it stays restorable when the bucket has a soft-delete policy."""
    now = store.clock.now()
    keep = int(bucket.get("softDeletePolicy", {}).get("retentionDurationSeconds", 0))
    outbox.record(store, "OBJECT_DELETE", gone, attributes or {})
    if not keep:
        store.erase(gone)
        return
    gone.state = "soft"
    gone.purge_at = now + keep
    gone.resource.setdefault("timeDeleted", rfc3339(now))
    gone.resource["softDeleteTime"] = rfc3339(now)
    gone.resource["hardDeleteTime"] = rfc3339(now + keep)
    store.update(gone)


def change(store: Store, changed: Generation) -> None:
    """Store new metadata of a generation under its next metageneration."""
    touched(changed.resource, store.clock.now(), changed.metageneration + 1)
    store.update(changed)
    outbox.record(store, "OBJECT_METADATA_UPDATE", changed, {})


def purge(store: Store) -> int:
    """Remove for good what was soft-deleted long enough ago; return how many generations."""
    due = store.select("state = 'soft' AND purge_at <= ?", store.clock.now())
    for gone in due:
        store.erase(gone)
    deleted_buckets.purge(store)
    return len(due)


def versioned(bucket: Resource) -> bool:
    """Whether the bucket keeps noncurrent generations."""
    return bool(bucket.get("versioning", {}).get("enabled", False))


def check_not_held(store: Store, held: Generation, verb: str) -> None:
    """Refuse to destroy what a hold or a retention time protects.

    Raises:
        StorageError: 403.
    """
    where = f"Object '{held.bucket}/{held.name}'"
    for field, kind in (("temporaryHold", "Temporary"), ("eventBasedHold", "Event-Based")):
        if held.resource.get(field):
            raise StorageError(
                403,
                "forbidden",
                f"{where} is under active {kind} hold and cannot be deleted, overwritten or archived until hold is "
                f"removed; it cannot be {verb} now.",
            )
    until = retained_until(held.resource)
    if until > store.clock.now():
        raise StorageError(
            403,
            "retentionPolicyNotMet",
            f"{where} is subject to bucket's retention policy or object retention and cannot be deleted or overwritten "
            f"until {rfc3339(until)}; it cannot be {verb} now.",
        )


def retained_until(resource: Resource) -> float:
    """When the retention of an object ends, in seconds since the epoch; 0 when it has none."""
    times = [resource.get("retentionExpirationTime"), resource.get("retention", {}).get("retainUntilTime")]
    return max((from_rfc3339(time, "retention") for time in times if time), default=0.0)


def _retain(bucket: Resource, resource: Resource, now: float) -> None:
    """Give a new object the hold and the retention time that its bucket prescribes."""
    if bucket.get("defaultEventBasedHold") and "eventBasedHold" not in resource:
        resource["eventBasedHold"] = True
    period = bucket.get("retentionPolicy", {}).get("retentionPeriod")
    if period and not resource.get("eventBasedHold"):
        resource["retentionExpirationTime"] = rfc3339(now + int(period))
    if "retention" in resource:
        check_object_retention(bucket, resource["retention"], now)


def check_object_retention(bucket: Resource, retention: Resource, now: float) -> None:
    """Refuse an object retention that the bucket does not allow or that lies in the past.

    Raises:
        StorageError: 400.
    """
    if bucket.get("objectRetention", {}).get("mode") != "Enabled":
        raise invalid(f"Object retention is not enabled on bucket {bucket['name']!r}.")
    if retention.get("mode") not in ("Unlocked", "Locked"):
        raise invalid(f"'retention.mode' must be Unlocked or Locked. Got {retention.get('mode')!r}.")
    if from_rfc3339(retention.get("retainUntilTime", ""), "retention.retainUntilTime") <= now:
        raise invalid(f"'retention.retainUntilTime' must be in the future. Got {retention['retainUntilTime']!r}.")
