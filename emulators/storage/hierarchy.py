"""storage.folders.*: the folders of buckets with a hierarchical namespace. https://cloud.google.com/storage/docs/hns-overview

There every object's folders exist, a folder is renamed with all that is below it in one step, and only an empty one can
be deleted.
"""

from typing import Any

from emulators.storage import folder_names, generations, operations
from emulators.storage.calls import NO_CONTENT, Call, Reply, json_reply
from emulators.storage.errors import StorageError, invalid
from emulators.storage.listing import successor
from emulators.storage.preconditions import Preconditions
from emulators.storage.state import Store

Resource = dict[str, Any]

_KIND = "folder"


async def insert(call: Call) -> Reply:
    """storage.folders.insert: its parent must exist, unless `recursive` makes it too."""
    given = await call.json()
    with call.transaction() as store:
        bucket = _hierarchical(store, call.path["bucket"])
        name = folder_names.folder_name(str(given.get("name", "")))
        if call.flag("recursive"):
            folder_names.make_parents(store, bucket, name)
        elif "/" in name.rstrip("/"):
            folder_names.find(store, _KIND, bucket["name"], name.rstrip("/").rpartition("/")[0])
        resource = folder_names.created(store, _KIND, bucket["name"], name)
    return json_reply(folder_names.shown(call, _KIND, resource))


async def get(call: Call) -> Reply:
    """storage.folders.get."""
    _hierarchical(call.store, call.path["bucket"])
    found = folder_names.checked(call, _KIND, call.path["folder"], read=True)
    return json_reply(folder_names.shown(call, _KIND, found))


async def list_all(call: Call) -> Reply:
    """storage.folders.list."""
    _hierarchical(call.store, call.path["bucket"])
    return folder_names.listed(call, _KIND)


async def delete(call: Call) -> Reply:
    """storage.folders.delete: only an empty one."""
    with call.transaction() as store:
        _hierarchical(store, call.path["bucket"])
        found = folder_names.checked(call, _KIND, call.path["folder"])
        folder_names.check_empty(store, _KIND, found["bucket"], found["name"])
        folder_names.forget(store, _KIND, found)
    return NO_CONTENT


async def delete_recursive(call: Call) -> Reply:
    """storage.folders.deleteRecursive: with every folder and live object below it, as an operation."""
    with call.transaction() as store:
        bucket = _hierarchical(store, call.path["bucket"])
        found = folder_names.checked(call, _KIND, call.path["folder"])
        name = found["name"]
        for inside in _live_below(store, bucket["name"], name):
            generations.check_not_held(store, inside, "deleted")
            generations.displace(store, bucket, inside, by=None)
        for folder in folder_names.below(store, _KIND, bucket["name"], name):
            folder_names.forget(store, _KIND, folder)
        operation = operations.record(store, bucket["name"], "DeleteFolderRecursive", {"folderId": name}, {})
    return json_reply(operations.shown(call, operation))


async def rename(call: Call) -> Reply:
    """storage.folders.rename: with all that is below it; generations stay, as an operation."""
    with call.transaction() as store:
        bucket = _hierarchical(store, call.path["bucket"])
        source = folder_names.find(store, _KIND, bucket["name"], call.path["source"])
        Preconditions.of_metageneration(call, "Source").check(0, int(source["metageneration"]))
        old, new = source["name"], folder_names.folder_name(call.path["to"])
        if new.startswith(old):
            raise invalid(f"A folder cannot be moved into itself: {old!r} to {new!r}.")
        if folder_names.below(store, _KIND, bucket["name"], new) or _live_below(store, bucket["name"], new):
            raise StorageError(409, "conflict", f"The folder {bucket['name']}/{new} exists already.")
        folder_names.make_parents(store, bucket, new)
        _move(store, bucket["name"], old, new)
        moved = folder_names.find(store, _KIND, bucket["name"], new)
        metadata = {"sourceFolderId": old, "destinationFolderId": new}
        operation = operations.record(store, bucket["name"], "RenameFolder", metadata, moved)
    return json_reply(operations.shown(call, operation))


def _move(store: Store, bucket: str, old: str, new: str) -> None:
    for inside in store.select("bucket = ? AND name >= ? AND name < ?", bucket, old, successor(old)):
        generations.check_not_held(store, inside, "moved")
        name = new + inside.name[len(old) :]
        store.rename(inside, name)
    for folder in folder_names.below(store, _KIND, bucket, old):
        folder_names.forget(store, _KIND, folder)
        name = new + folder["name"][len(old) :]
        number = str(int(folder["metageneration"]) + 1)
        folder_names.put(store, _KIND, folder | {"name": name, "id": f"{bucket}/{name}", "metageneration": number})


def _live_below(store: Store, bucket: str, name: str) -> list[Any]:
    return store.select("bucket = ? AND state = 'live' AND name >= ? AND name < ?", bucket, name, successor(name))


def _hierarchical(store: Store, name: str) -> Resource:
    bucket = store.bucket(name)
    if not folder_names.enabled(bucket):
        raise StorageError(409, "conflict", f"Bucket {name!r} has no hierarchical namespace, so it has no folders.")
    return bucket
