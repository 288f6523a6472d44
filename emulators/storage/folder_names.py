"""What folders and managed folders have in common: their names, their rows, their lists in pages."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

import orjson

from emulators.storage.calls import Call, Reply, json_reply
from emulators.storage.errors import StorageError, invalid, required
from emulators.storage.listing import successor
from emulators.storage.preconditions import Preconditions
from emulators.storage.resources import object_name, rfc3339
from emulators.storage.state import Store

Resource = dict[str, Any]

_MOST = 1000


def folder_name(name: str) -> str:
    """`name` with its `/` at the end, when it is one a folder may have.

    Raises:
        StorageError: 400.
    """
    if not name:
        raise required("a folder's name")
    whole = object_name(name if name.endswith("/") else name + "/")
    if whole.startswith("/") or "//" in whole:
        raise invalid(f"A folder's name must not begin with '/' nor hold '//'. Got {name!r}.")
    return whole


def check_uniform(bucket: Resource, what: str) -> None:
    """Raises 400 unless the bucket has uniform access, which every kind of folder needs."""
    if not bucket["iamConfiguration"]["uniformBucketLevelAccess"].get("enabled"):
        raise invalid(f"{what} need uniform bucket-level access, which is not enabled on bucket {bucket['name']!r}.")


def created(store: Store, kind: str, bucket: str, name: str) -> Resource:
    """A new row of this kind ("folder" or "managedFolder") within the caller's transaction.

    Raises:
        StorageError: 409 it exists.
    """
    if store.value("SELECT 1 FROM folders WHERE kind = ? AND bucket = ? AND name = ?", kind, bucket, name):
        raise StorageError(409, "conflict", f"The {kind} {bucket}/{name} exists already.")
    now = rfc3339(store.clock.now())
    resource: Resource = {
        "kind": f"storage#{kind}",
        "id": f"{bucket}/{name}",
        "bucket": bucket,
        "name": name,
        "metageneration": "1",
        "createTime": now,
        "updateTime": now,
    }
    put(store, kind, resource)
    return resource


def enabled(bucket: Resource) -> bool:
    """Whether a bucket has folders."""
    return bool(bucket.get("hierarchicalNamespace", {}).get("enabled"))


def make_parents(store: Store, bucket: Resource, name: str) -> None:
    """Create the folders that an object's or folder's name runs through, within the caller's transaction."""
    if not enabled(bucket):
        return
    parts = name.rstrip("/").split("/")[:-1]
    for depth in range(len(parts)):
        path = "/".join(parts[: depth + 1]) + "/"
        query = "SELECT 1 FROM folders WHERE kind = 'folder' AND bucket = ? AND name = ?"
        if not store.value(query, bucket["name"], path):
            created(store, "folder", bucket["name"], path)


def put(store: Store, kind: str, resource: Resource) -> None:
    """Insert or replace a row."""
    store.run(
        "INSERT OR REPLACE INTO folders VALUES (?, ?, ?, ?)",
        *(kind, resource["bucket"], resource["name"], orjson.dumps(resource)),
    )


def find(store: Store, kind: str, bucket: str, name: str) -> Resource:
    """The resource of a row.

    Raises:
        StorageError: 404.
    """
    store.bucket(bucket)
    found = store.value(
        "SELECT resource FROM folders WHERE kind = ? AND bucket = ? AND name = ?", kind, bucket, folder_name(name)
    )
    if found is None:
        raise StorageError(404, "notFound", f"No such {kind}: {bucket}/{folder_name(name)}.")
    resource: Resource = orjson.loads(found)
    return resource


def checked(call: Call, kind: str, name: str, *, read: bool = False) -> Resource:
    """As `find`, held to the call's preconditions.

    Raises:
        StorageError: 404, 412, or 304 for a read.
    """
    found = find(call.store, kind, call.path["bucket"], name)
    Preconditions.of_metageneration(call).check(0, int(found["metageneration"]), read=read)
    return found


def forget(store: Store, kind: str, resource: Resource) -> None:
    """Delete a row."""
    store.run(
        "DELETE FROM folders WHERE kind = ? AND bucket = ? AND name = ?", kind, resource["bucket"], resource["name"]
    )


def below(store: Store, kind: str, bucket: str, prefix: str) -> list[Resource]:
    """All of a kind whose names begin with `prefix`, in order, the one of that very name too."""
    rows = store.rows(
        "SELECT resource FROM folders WHERE kind = ? AND bucket = ? AND name >= ? AND name < ? ORDER BY name",
        *(kind, bucket, prefix, successor(prefix) if prefix else "\U0010ffff"),
    )
    return [orjson.loads(resource) for (resource,) in rows]


def check_empty(store: Store, kind: str, bucket: str, name: str) -> None:
    """Raises 409 where a folder or a live object lies below `name`."""
    inside = store.select(
        "bucket = ? AND state = 'live' AND name >= ? AND name < ?", bucket, name, successor(name), limit=1
    )
    if inside or len(below(store, kind, bucket, name)) > 1:
        raise StorageError(409, "conflict", f"The {kind} {bucket}/{name} is not empty.")


def listed(call: Call, kind: str) -> Reply:
    """One page of a bucket's rows of a kind, below `prefix`, from `startOffset` to before `endOffset`.

    With the delimiter `/` only those directly below the prefix, as `storage.folders.list` has it.
    """
    bucket = call.store.bucket(call.path["bucket"])["name"]
    prefix, after = call.one("prefix"), _passed(call.one("pageToken"))
    first, end = call.one("startOffset"), call.one("endOffset") or "\U0010ffff"
    most = min(call.number("pageSize") or _MOST, _MOST)
    fitting = [
        each
        for each in below(call.store, kind, bucket, prefix)
        if each["name"] > after and first <= each["name"] < end and _is_direct(call, each["name"], prefix)
    ]
    answer: Resource = {"kind": f"storage#{kind}s", "items": [shown(call, kind, each) for each in fitting[:most]]}
    if len(fitting) > most:
        answer["nextPageToken"] = urlsafe_b64encode(fitting[most - 1]["name"].encode()).decode()
    return json_reply(answer)


def shown(call: Call, kind: str, resource: Resource) -> Resource:
    """With its link, without what is not for callers."""
    link = f"{call.base_url}/storage/v1/b/{resource['bucket']}/{kind}s/{resource['name']}"
    return {key: value for key, value in resource.items() if key != "iamPolicy"} | {"selfLink": link}


def _is_direct(call: Call, name: str, prefix: str) -> bool:
    return call.one("delimiter") != "/" or "/" not in name[len(prefix) :].rstrip("/")


def _passed(token: str) -> str:
    try:
        return urlsafe_b64decode(token.encode()).decode()
    except ValueError:
        raise invalid(f"'pageToken' must be a token from an earlier answer. Got {token!r}.") from None
