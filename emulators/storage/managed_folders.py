"""storage.managedFolders.*: prefixes with a policy of their own. https://cloud.google.com/storage/docs/managed-folders"""

from emulators.storage import access, folder_names
from emulators.storage.calls import NO_CONTENT, Call, Reply, json_reply
from emulators.storage.folder_names import Resource

_KIND = "managedFolder"


async def insert(call: Call) -> Reply:
    """storage.managedFolders.insert."""
    given = await call.json()
    with call.transaction() as store:
        bucket = store.bucket(call.path["bucket"])
        folder_names.check_uniform(bucket, "Managed folders")
        name = folder_names.folder_name(str(given.get("name", "")))
        resource = folder_names.created(store, _KIND, bucket["name"], name)
    return json_reply(folder_names.shown(call, _KIND, resource))


async def get(call: Call) -> Reply:
    """storage.managedFolders.get."""
    return json_reply(folder_names.shown(call, _KIND, _find(call, read=True)))


async def list_all(call: Call) -> Reply:
    """storage.managedFolders.list."""
    return folder_names.listed(call, _KIND)


async def delete(call: Call) -> Reply:
    """storage.managedFolders.delete: an empty one, or with allowNonEmpty any; what is in it stays."""
    with call.transaction() as store:
        found = _find(call)
        if not call.flag("allowNonEmpty"):
            folder_names.check_empty(store, _KIND, found["bucket"], found["name"])
        folder_names.forget(store, _KIND, found)
    return NO_CONTENT


async def get_policy(call: Call) -> Reply:
    """storage.managedFolders.getIamPolicy."""
    found = _find(call)
    return json_reply(access.policy_of(found, f"projects/_/buckets/{found['bucket']}/managedFolders/{found['name']}"))


async def set_policy(call: Call) -> Reply:
    """storage.managedFolders.setIamPolicy: refused with 412 when its etag is not that of the present policy."""
    given = await call.json()
    with call.transaction() as store:
        found = _find(call)
        where = f"projects/_/buckets/{found['bucket']}/managedFolders/{found['name']}"
        access.replace_policy(found, given, where)
        folder_names.put(store, _KIND, found)
    return json_reply(access.policy_of(found, where))


def _find(call: Call, *, read: bool = False) -> Resource:
    return folder_names.checked(call, _KIND, call.path["managedFolder"], read=read)
