"""storage.objects.*: read, change, delete and restore one object."""

from typing import Any

from emulators.storage import downloads, folder_names, generations, outbox
from emulators.storage.calls import NO_CONTENT, Call, Reply, json_reply
from emulators.storage.errors import StorageError, no_object, required
from emulators.storage.preconditions import Preconditions, check_etags
from emulators.storage.presentation import object_resource
from emulators.storage.resources import OBJECT_FIELDS, checked_metadata, merged, rfc3339, touched
from emulators.storage.state import Generation, Store

Resource = dict[str, Any]

_EMPTY = {"temporaryHold", "eventBasedHold"}


def find(call: Call, *, read: bool = False) -> Generation:
    """The generation that `call` names, held to the call's preconditions.

    Raises:
        StorageError: 404, 412, or 304 for a read.
    """
    soft = call.flag("softDeleted")
    number = call.number("generation")
    if soft and number is None:
        raise required("'generation' together with softDeleted=true")
    conditions = Preconditions.of(call)
    try:
        found = call.store.find(call.path["bucket"], call.path["object"], number, soft=soft)
    except StorageError:
        if conditions.generation:  # a generation that is no longer there is a lost race, not a wrong name
            call.store.bucket(call.path["bucket"])
            if not read:
                conditions.check(0, None)
        raise
    conditions.check(found.generation, found.metageneration, read=read)
    if read:
        check_etags(call, found.resource["etag"])
    return found


async def get(call: Call) -> Reply:
    """storage.objects.get: the resource, or the bytes with alt=media."""
    found = find(call, read=True)
    if call.one("alt") == "media":
        return downloads.media(call, found)
    return json_reply(object_resource(call, found))


async def patch(call: Call) -> Reply:
    """storage.objects.patch: the given fields change, null removes one."""
    given = await call.json()
    return await _change(call, given, replace=False)


async def update(call: Call) -> Reply:
    """storage.objects.update: fields not given go back to nothing."""
    given = await call.json()
    return await _change(call, given, replace=True)


async def _change(call: Call, given: Resource, *, replace: bool) -> Reply:
    checked_metadata({"metadata": {k: v for k, v in (given.get("metadata") or {}).items() if v is not None}})
    with call.transaction() as store:
        found = find(call)
        old = found.resource
        base = old
        if replace:
            kept = {"storageClass", "acl", "retention", "contentType"}
            base = {key: value for key, value in old.items() if key not in OBJECT_FIELDS - kept}
        new = merged(base, given, OBJECT_FIELDS - {"storageClass"})
        if not new.get("metadata"):
            new.pop("metadata", None)
        _follow_holds(store, old, new)
        _check_retention(call, store, old, new)
        found.resource = new
        generations.change(store, found)
    return json_reply(object_resource(call, found))


def _follow_holds(store: Store, old: Resource, new: Resource) -> None:
    """Releasing an event-based hold starts the bucket's retention period."""
    if old.get("eventBasedHold") and not new.get("eventBasedHold"):
        period = store.bucket(old["bucket"]).get("retentionPolicy", {}).get("retentionPeriod")
        if period:
            new["retentionExpirationTime"] = rfc3339(store.clock.now() + int(period))
    elif new.get("eventBasedHold"):
        new.pop("retentionExpirationTime", None)


def _check_retention(call: Call, store: Store, old: Resource, new: Resource) -> None:
    before, after = old.get("retention"), new.get("retention")
    if before == after:
        return
    now = store.clock.now()
    if before:
        shorter = generations.retained_until({"retention": after or {}}) < generations.retained_until(
            {"retention": before}
        )
        locked = before["mode"] == "Locked"
        if (locked and (shorter or not after)) or (shorter and not call.flag("overrideUnlockedRetention")):
            raise StorageError(
                403,
                "forbidden",
                f"The retention of object '{old['bucket']}/{old['name']}' is {before}; it can be shortened or removed "
                "only while Unlocked, with overrideUnlockedRetention=true.",
            )
    if after:
        generations.check_object_retention(store.bucket(old["bucket"]), after, now)
    else:
        new.pop("retention", None)


async def delete(call: Call) -> Reply:
    """storage.objects.delete: the live generation, or for good the one that is named."""
    with call.transaction() as store:
        found = find(call)
        bucket = store.bucket(found.bucket)
        if call.number("generation") is None:
            if not generations.versioned(bucket):
                generations.check_not_held(store, found, "deleted")
            generations.displace(store, bucket, found, by=None)
        else:
            generations.check_not_held(store, found, "deleted")
            generations.remove(store, bucket, found)
    return NO_CONTENT


async def restore(call: Call) -> Reply:
    """storage.objects.restore: a soft-deleted generation becomes live again, under a new generation number."""
    number = call.number("generation")
    if number is None:
        raise required("the query parameter 'generation'")
    conditions = Preconditions.of(call)
    with call.transaction() as store:
        bucket = store.bucket(call.path["bucket"])
        found = store.find(call.path["bucket"], call.path["object"], number, soft=True)
        live = store.live(found.bucket, found.name)
        generations.check_live(live, conditions)
        if found.state != "soft":
            raise no_object(found.bucket, found.name, number)
        if live is not None:
            generations.displace(store, bucket, live, by=None)
        new = revive(store, found)
    return json_reply(object_resource(call, new))


def revive(store: Store, found: Generation) -> Generation:
    """Write a soft-deleted generation once more, as a live one with a number of its own; the old one stays."""
    gone = ("timeDeleted", "softDeleteTime", "hardDeleteTime")
    resource = {key: value for key, value in found.resource.items() if key not in gone}
    generation = store.next_generation()
    now = store.clock.now()
    resource |= {"generation": str(generation), "timeCreated": rfc3339(now)}
    new = Generation(found.bucket, found.name, generation, "live", found.blob, touched(resource, now, 1))
    folder_names.make_parents(store, store.bucket(found.bucket), found.name)
    store.insert(new)
    outbox.record(store, "OBJECT_FINALIZE", new, {})
    return new
