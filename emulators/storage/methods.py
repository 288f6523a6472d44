"""Every method of the Cloud Storage API: what this emulator does, does differently, or does not have.

The routes, the 501 answers and the table in the documentation come from here. Paths are those of the JSON API, below
`/storage/v1`; names are Google's: https://cloud.google.com/storage/docs/json_api/v1
"""

from dataclasses import dataclass
from typing import Literal

Status = Literal["done", "differs", "absent"]


@dataclass(frozen=True)
class Method:
    """One method: its name, HTTP verb, path template, status, and the reason when it is not simply done."""

    name: str
    verb: str
    path: str
    status: Status = "done"
    reason: str = ""


_NOT_ENFORCED = "kept and shown; the emulator refuses nobody"
_NO_FOLDERS = "hierarchical namespaces are not emulated"
_NO_CACHES = "Anywhere Cache concerns zones, which one machine does not have"
_NO_OPERATIONS = "nothing here runs as a long-running operation"
_O = "b/{bucket}/o/{object}"

METHODS = (
    Method("storage.buckets.insert", "POST", "b", "differs", "soft delete is off unless the caller sets a policy"),
    Method("storage.buckets.list", "GET", "b", "differs", "lists the buckets of every project"),
    Method("storage.buckets.get", "GET", "b/{bucket}"),
    Method("storage.buckets.patch", "PATCH", "b/{bucket}"),
    Method("storage.buckets.update", "PUT", "b/{bucket}"),
    Method("storage.buckets.delete", "DELETE", "b/{bucket}", "differs", "a deleted bucket cannot be restored"),
    Method("storage.buckets.restore", "POST", "b/{bucket}/restore", "absent", "a deleted bucket is gone"),
    Method("storage.buckets.relocate", "POST", "b/{bucket}/relocate", "absent", "one machine has no locations"),
    Method("storage.buckets.lockRetentionPolicy", "POST", "b/{bucket}/lockRetentionPolicy"),
    Method("storage.buckets.getStorageLayout", "GET", "b/{bucket}/storageLayout"),
    Method("storage.buckets.getIamPolicy", "GET", "b/{bucket}/iam", "differs", _NOT_ENFORCED),
    Method("storage.buckets.setIamPolicy", "PUT", "b/{bucket}/iam", "differs", _NOT_ENFORCED),
    Method(
        "storage.buckets.testIamPermissions",
        *("GET", "b/{bucket}/iam/testPermissions", "differs", "grants all that is asked"),
    ),
    Method("storage.objects.insert", "POST", "b/{bucket}/o"),
    Method("storage.objects.list", "GET", "b/{bucket}/o"),
    Method("storage.objects.get", "GET", _O),
    Method("storage.objects.patch", "PATCH", _O),
    Method("storage.objects.update", "PUT", _O),
    Method("storage.objects.delete", "DELETE", _O),
    Method("storage.objects.restore", "POST", f"{_O}/restore"),
    Method("storage.notifications.insert", "POST", "b/{bucket}/notificationConfigs"),
    Method("storage.notifications.list", "GET", "b/{bucket}/notificationConfigs"),
    Method("storage.notifications.get", "GET", "b/{bucket}/notificationConfigs/{notification}"),
    Method("storage.notifications.delete", "DELETE", "b/{bucket}/notificationConfigs/{notification}"),
)
