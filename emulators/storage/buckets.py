"""storage.buckets.*: create, read, change, delete."""

import re
from typing import Any

from emulators.storage import access, deleted_buckets
from emulators.storage.calls import NO_CONTENT, Call, Reply, json_reply
from emulators.storage.errors import StorageError, invalid, required
from emulators.storage.folder_names import check_uniform
from emulators.storage.preconditions import Preconditions
from emulators.storage.presentation import bucket_resource
from emulators.storage.resources import BUCKET_FIELDS, etag, merged, rfc3339
from emulators.storage.state import Store

Resource = dict[str, Any]

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9_.-]*[a-z0-9])?")
PROJECT_NUMBER = "123456789012"


def check_name(name: str) -> str:
    """`name`, when it is one a bucket may have.

    Raises:
        StorageError: 400; https://cloud.google.com/storage/docs/buckets#naming
    """
    longest = 222 if "." in name else 63
    parts_fit = all(1 <= len(part) <= 63 for part in name.split("."))
    is_address = re.fullmatch(r"\d+\.\d+\.\d+\.\d+", name) is not None
    reserved = name.startswith("goog") or "google" in name
    if not _NAME.fullmatch(name) or not 3 <= len(name) <= longest or not parts_fit or is_address or reserved:
        raise invalid(
            f"Invalid bucket name: {name!r}. Expected 3 to 63 of a-z, 0-9, '-', '_' and '.', first and last a letter "
            "or digit, no IP address, not beginning with 'goog' nor holding 'google'."
        )
    return name


def create(store: Store, given: Resource, acl: str = "") -> Resource:
    """Create a bucket within the caller's transaction.

    Raises:
        StorageError: 400 a wrong name, 409 it exists.
    """
    name = check_name(str(given.get("name", "")))
    if store.value("SELECT 1 FROM buckets WHERE name = ?", name):
        raise StorageError(409, "conflict", f"Your previous request to create the named bucket succeeded: {name!r}.")
    now = store.clock.now()
    resource: Resource = {
        "kind": "storage#bucket",
        "name": name,
        "projectNumber": PROJECT_NUMBER,
        "generation": str(store.next_generation()),
        "location": str(given.get("location", "US")).upper(),
        "locationType": "multi-region"
        if str(given.get("location", "US")).upper() in ("US", "EU", "ASIA")
        else "region",
        "storageClass": "STANDARD",
        "timeCreated": rfc3339(now),
        "iamConfiguration": {
            "bucketPolicyOnly": {"enabled": False},
            "uniformBucketLevelAccess": {"enabled": False},
            "publicAccessPrevention": "inherited",
        },
        "softDeletePolicy": {"retentionDurationSeconds": "0"},
        "acl": access.bucket_acl(name, acl),
        "defaultObjectAcl": access.default_object_acl(),
    }
    resource = merged(resource, given, BUCKET_FIELDS)
    if resource.get("hierarchicalNamespace", {}).get("enabled"):
        check_uniform(resource, "Buckets with a hierarchical namespace")
    return _stored(store, resource, 1)


def _stored(store: Store, resource: Resource, metageneration: int) -> Resource:
    """Derive what follows from the caller's fields, and store."""
    now = store.clock.now()
    resource["metageneration"] = str(metageneration)
    resource["updated"] = rfc3339(now)
    resource["etag"] = etag(metageneration, metageneration)
    retention = resource.get("retentionPolicy")
    if retention:
        retention["retentionPeriod"] = str(retention.get("retentionPeriod", "0"))
        retention.setdefault("effectiveTime", rfc3339(now))
    soft = resource.get("softDeletePolicy", {})
    soft["retentionDurationSeconds"] = str(soft.get("retentionDurationSeconds", "0"))
    if soft["retentionDurationSeconds"] != "0":
        soft.setdefault("effectiveTime", rfc3339(now))
    uniform = resource["iamConfiguration"].setdefault("uniformBucketLevelAccess", {"enabled": False})
    if uniform.get("enabled"):
        uniform.setdefault("lockedTime", rfc3339(now + 90 * 86400))
    resource["iamConfiguration"]["bucketPolicyOnly"] = dict(uniform)
    store.put_bucket(resource)
    return resource


async def insert(call: Call) -> Reply:
    """storage.buckets.insert."""
    given = await call.json()
    if not call.one("project"):
        raise required("the query parameter 'project'")
    if call.flag("enableObjectRetention"):
        given = {**given, "objectRetention": {"mode": "Enabled"}}
    with call.transaction() as store:
        resource = create(store, given, call.one("predefinedAcl"))
        if "objectRetention" in given:
            resource["objectRetention"] = given["objectRetention"]
            store.put_bucket(resource)
    return json_reply(bucket_resource(call, resource))


def _checked(call: Call, *, read: bool = False) -> Resource:
    resource = call.store.bucket(call.path["bucket"])
    Preconditions.of_metageneration(call).check(0, int(resource["metageneration"]), read=read)
    return resource


async def get(call: Call) -> Reply:
    """storage.buckets.get; with softDeleted=true and a generation, of one that was deleted."""
    if call.flag("softDeleted"):
        return json_reply(bucket_resource(call, deleted_buckets.find(call)))
    return json_reply(bucket_resource(call, _checked(call, read=True)))


async def list_all(call: Call) -> Reply:
    """storage.buckets.list: in the order of their names, whatever project made them."""
    prefix, after = call.one("prefix"), call.one("pageToken")
    if call.flag("softDeleted"):
        deleted = [each for each in deleted_buckets.all_of(call.store) if each["name"].startswith(prefix)]
        return json_reply({"kind": "storage#buckets", "items": [bucket_resource(call, each) for each in deleted]})
    most = min(call.number("maxResults") or 1000, 1000)
    names = call.store.rows("SELECT name FROM buckets WHERE name > ? ORDER BY name", after)
    fitting = [name for (name,) in names if name.startswith(prefix)]
    page = [bucket_resource(call, call.store.bucket(name)) for name in fitting[:most]]
    answer: Resource = {"kind": "storage#buckets", "items": page}
    if len(fitting) > most:
        answer["nextPageToken"] = fitting[most - 1]
    return json_reply(answer)


async def patch(call: Call) -> Reply:
    """storage.buckets.patch: the given fields change, null removes one."""
    given = await call.json()
    with call.transaction() as store:
        resource = _checked(call)
        _check_retention_change(resource, given)
        _restart_clocks(resource, given)
        resource = _stored(store, merged(resource, given, BUCKET_FIELDS), int(resource["metageneration"]) + 1)
    return json_reply(bucket_resource(call, resource))


async def update(call: Call) -> Reply:
    """storage.buckets.update: fields not given go back to nothing."""
    given = await call.json()
    with call.transaction() as store:
        resource = _checked(call)
        _check_retention_change(resource, {"retentionPolicy": None, **given})
        kept = {"iamConfiguration", "softDeletePolicy", "storageClass", "acl", "defaultObjectAcl"}
        bare = {key: value for key, value in resource.items() if key not in BUCKET_FIELDS - kept}
        resource = _stored(store, merged(bare, given, BUCKET_FIELDS), int(resource["metageneration"]) + 1)
    return json_reply(bucket_resource(call, resource))


async def delete(call: Call) -> Reply:
    """storage.buckets.delete: only an empty one."""
    with call.transaction() as store:
        name = _checked(call)["name"]
        if store.value("SELECT 1 FROM objects WHERE bucket = ? AND state != 'soft' LIMIT 1", name):
            raise StorageError(
                409, "conflict", f"The bucket you tried to delete is not empty: {name!r}.", code="BucketNotEmpty"
            )
        bucket = store.bucket(name)
        kept = int(bucket.get("softDeletePolicy", {}).get("retentionDurationSeconds", 0))
        if kept:
            deleted_buckets.keep(store, bucket, kept)
        for gone in store.select("bucket = ?", name):
            store.erase(gone)
        store.run("DELETE FROM folders WHERE bucket = ?", name)
        store.run("DELETE FROM operations WHERE bucket = ?", name)
        store.run("DELETE FROM notifications WHERE bucket = ?", name)
        store.run("DELETE FROM buckets WHERE name = ?", name)
    return NO_CONTENT


async def lock_retention_policy(call: Call) -> Reply:
    """storage.buckets.lockRetentionPolicy: from now on it can only grow."""
    if call.number("ifMetagenerationMatch") is None:
        raise required("the query parameter 'ifMetagenerationMatch'")
    with call.transaction() as store:
        resource = _checked(call)
        if "retentionPolicy" not in resource:
            raise invalid(f"Bucket {resource['name']!r} has no retention policy to lock.")
        resource["retentionPolicy"]["isLocked"] = True
        resource = _stored(store, resource, int(resource["metageneration"]) + 1)
    return json_reply(bucket_resource(call, resource))


async def get_storage_layout(call: Call) -> Reply:
    """storage.buckets.getStorageLayout."""
    resource = call.store.bucket(call.path["bucket"])
    shown: Resource = {
        key: resource[key] for key in ("location", "locationType", "hierarchicalNamespace") if key in resource
    }
    return json_reply({"kind": "storage#storageLayout", "bucket": resource["name"], **shown})


def _check_retention_change(resource: Resource, given: Resource) -> None:
    present = resource.get("retentionPolicy", {})
    if not present.get("isLocked") or "retentionPolicy" not in given:
        return
    wanted = int((given["retentionPolicy"] or {}).get("retentionPeriod", 0))
    if wanted < int(present["retentionPeriod"]):
        raise StorageError(
            403,
            "forbidden",
            f"Cannot reduce the locked retention policy of bucket {resource['name']!r}: it is "
            f"{present['retentionPeriod']} seconds, got {wanted}.",
        )


def _restart_clocks(resource: Resource, given: Resource) -> None:
    """A changed policy takes effect now."""
    for policy in ("retentionPolicy", "softDeletePolicy"):
        if isinstance(given.get(policy), dict) and isinstance(resource.get(policy), dict):
            resource[policy].pop("effectiveTime", None)
