"""Which method a request means, and which function answers it."""

from collections.abc import Awaitable, Callable
from urllib.parse import unquote

from emulators.storage import (
    access,
    buckets,
    bulk_restore,
    copies,
    deleted_buckets,
    hierarchy,
    managed_folders,
    notifications,
    objects,
    operations,
    projects,
    uploads,
)
from emulators.storage.calls import Call, Reply
from emulators.storage.errors import StorageError, not_implemented
from emulators.storage.listing import list_objects
from emulators.storage.methods import METHODS, Method

Handler = Callable[[Call], Awaitable[Reply]]

HANDLERS: dict[str, Handler] = {
    "storage.buckets.insert": buckets.insert,
    "storage.buckets.list": buckets.list_all,
    "storage.buckets.get": buckets.get,
    "storage.buckets.patch": buckets.patch,
    "storage.buckets.update": buckets.update,
    "storage.buckets.delete": buckets.delete,
    "storage.buckets.lockRetentionPolicy": buckets.lock_retention_policy,
    "storage.buckets.getStorageLayout": buckets.get_storage_layout,
    "storage.buckets.getIamPolicy": access.get_policy,
    "storage.buckets.setIamPolicy": access.set_policy,
    "storage.buckets.testIamPermissions": access.test_permissions,
    "storage.objects.insert": uploads.insert,
    "storage.objects.list": list_objects,
    "storage.objects.get": objects.get,
    "storage.objects.patch": objects.patch,
    "storage.objects.update": objects.update,
    "storage.objects.delete": objects.delete,
    "storage.objects.restore": objects.restore,
    "storage.objects.compose": copies.compose,
    "storage.objects.copy": copies.copy,
    "storage.objects.rewrite": copies.rewrite,
    "storage.objects.move": copies.move,
    "storage.objects.testIamPermissions": access.test_permissions,
    "storage.notifications.insert": notifications.insert,
    "storage.notifications.list": notifications.list_all,
    "storage.notifications.get": notifications.get,
    "storage.notifications.delete": notifications.delete,
    "storage.buckets.restore": deleted_buckets.restore,
    "storage.objects.bulkRestore": bulk_restore.bulk_restore,
    "storage.objects.getIamPolicy": access.get_object_policy,
    "storage.objects.setIamPolicy": access.set_object_policy,
    "storage.folders.insert": hierarchy.insert,
    "storage.folders.list": hierarchy.list_all,
    "storage.folders.get": hierarchy.get,
    "storage.folders.delete": hierarchy.delete,
    "storage.folders.deleteRecursive": hierarchy.delete_recursive,
    "storage.folders.rename": hierarchy.rename,
    "storage.managedFolders.insert": managed_folders.insert,
    "storage.managedFolders.list": managed_folders.list_all,
    "storage.managedFolders.get": managed_folders.get,
    "storage.managedFolders.delete": managed_folders.delete,
    "storage.managedFolders.getIamPolicy": managed_folders.get_policy,
    "storage.managedFolders.setIamPolicy": managed_folders.set_policy,
    "storage.managedFolders.testIamPermissions": access.test_permissions,
    "storage.operations.list": operations.list_all,
    "storage.operations.get": operations.get,
    "storage.operations.cancel": operations.cancel,
    "storage.projects.serviceAccount.get": projects.get_service_account,
    "storage.projects.hmacKeys.create": projects.create_key,
    "storage.projects.hmacKeys.list": projects.list_keys,
    "storage.projects.hmacKeys.get": projects.get_key,
    "storage.projects.hmacKeys.update": projects.update_key,
    "storage.projects.hmacKeys.delete": projects.delete_key,
}
for _collection in ("bucketAccessControls", "defaultObjectAccessControls", "objectAccessControls"):
    HANDLERS |= {
        f"storage.{_collection}.list": access.acl_list,
        f"storage.{_collection}.insert": access.acl_insert,
        f"storage.{_collection}.get": access.acl_get,
        f"storage.{_collection}.patch": access.acl_update,
        f"storage.{_collection}.update": access.acl_update,
        f"storage.{_collection}.delete": access.acl_delete,
    }

_Table = dict[tuple[str, int], list[tuple[list[str], Method]]]


def _table() -> _Table:
    table: _Table = {}
    for method in METHODS:
        pattern = method.path.split("/")
        table.setdefault((method.verb, len(pattern)), []).append((pattern, method))
    return table


_TABLE = _table()


def route(verb: str, raw_path: str) -> tuple[str, dict[str, str], Handler]:
    """Name, path parameters and handler of a JSON API request; `raw_path` is what follows `/storage/v1/`.

    The path is split before it is decoded, so that an object's name may hold any `/`.

    Raises:
        StorageError: 501 a method that is known and not here, 404 one that Cloud Storage does not have either.
    """
    segments = raw_path.rstrip("/").split("/")
    for pattern, method in _TABLE.get((verb, len(segments)), []):
        values = _match(pattern, segments)
        if values is None:
            continue
        if method.status == "absent":
            raise not_implemented(method.name, method.reason + ".")
        return method.name, values, HANDLERS[method.name]
    raise StorageError(404, "notFound", f"Cloud Storage has no method {verb} /storage/v1/{raw_path}.")


def _match(pattern: list[str], segments: list[str]) -> dict[str, str] | None:
    values: dict[str, str] = {}
    for expected, found in zip(pattern, segments, strict=True):
        if expected.startswith("{"):
            if not found:
                return None
            values[expected.strip("{}")] = unquote(found)
        elif expected != found:
            return None
    return values
