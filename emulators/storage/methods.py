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
_NO_CACHES = "Anywhere Cache concerns zones, which one machine does not have"
_AT_ONCE = "an operation that is done when it is answered"
_KEYS = "kept as records; nothing is signed or checked with them"
_O = "b/{bucket}/o/{object}"
_SOURCE = "b/{sourceBucket}/o/{sourceObject}"
_DESTINATION = "b/{destinationBucket}/o/{destinationObject}"
_MANAGED = "b/{bucket}/managedFolders/{managedFolder}"
_CACHE = "b/{bucket}/anywhereCaches/{anywhereCache}"


XML_METHODS = (
    Method("storage.buckets.list", "GET", ""),
    Method("storage.objects.list", "GET", "{bucket}"),
    Method("storage.buckets.get", "HEAD", "{bucket}"),
    Method("storage.buckets.insert", "PUT", "{bucket}", "differs", "location and storage class only"),
    Method("storage.buckets.delete", "DELETE", "{bucket}"),
    Method("storage.objects.get", "GET", "{bucket}/{object}"),
    Method("storage.objects.get", "HEAD", "{bucket}/{object}"),
    Method("storage.objects.insert", "PUT", "{bucket}/{object}"),
    Method("storage.objects.insert", "POST", "{bucket}/{object}", "differs", "resumable uploads, not HTML forms"),
    Method("storage.objects.delete", "DELETE", "{bucket}/{object}"),
    Method("storage.multipartUploads.create", "POST", "{bucket}/{object}?uploads"),
    Method("storage.multipartUploads.uploadPart", "PUT", "{bucket}/{object}?partNumber={number}&uploadId={upload}"),
    Method("storage.multipartUploads.complete", "POST", "{bucket}/{object}?uploadId={upload}"),
    Method("storage.multipartUploads.abort", "DELETE", "{bucket}/{object}?uploadId={upload}"),
    Method("storage.multipartUploads.listParts", "GET", "{bucket}/{object}?uploadId={upload}"),
)
"""The XML API as far as it is here; what is not listed answers 501."""


def _access_controls(collection: str, path: str) -> tuple[Method, ...]:
    verbs = {"list": "GET", "insert": "POST", "get": "GET", "patch": "PATCH", "update": "PUT", "delete": "DELETE"}
    return tuple(
        Method(
            f"storage.{collection}.{name}",
            *(verb, path if name in ("list", "insert") else path + "/{entity}", "differs", _NOT_ENFORCED),
        )
        for name, verb in verbs.items()
    )


METHODS = (
    Method("storage.buckets.insert", "POST", "b", "differs", "soft delete is off unless the caller sets a policy"),
    Method("storage.buckets.list", "GET", "b", "differs", "lists the buckets of every project"),
    Method("storage.buckets.get", "GET", "b/{bucket}"),
    Method("storage.buckets.patch", "PATCH", "b/{bucket}"),
    Method("storage.buckets.update", "PUT", "b/{bucket}"),
    Method("storage.buckets.delete", "DELETE", "b/{bucket}"),
    Method("storage.buckets.restore", "POST", "b/{bucket}/restore"),
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
    Method("storage.objects.bulkRestore", "POST", "b/{bucket}/o/bulkRestore", "differs", _AT_ONCE),
    Method("storage.objects.watchAll", "POST", "b/{bucket}/o/watch", "absent", "use notification configurations"),
    Method("storage.objects.compose", "POST", "b/{destinationBucket}/o/{destinationObject}/compose"),
    Method("storage.objects.copy", "POST", f"{_SOURCE}/copyTo/{_DESTINATION}"),
    Method("storage.objects.rewrite", "POST", f"{_SOURCE}/rewriteTo/{_DESTINATION}"),
    Method("storage.objects.move", "POST", "b/{bucket}/o/{sourceObject}/moveTo/o/{destinationObject}"),
    Method("storage.objects.getIamPolicy", "GET", f"{_O}/iam", "differs", _NOT_ENFORCED),
    Method("storage.objects.setIamPolicy", "PUT", f"{_O}/iam", "differs", _NOT_ENFORCED),
    Method(
        "storage.objects.testIamPermissions", "GET", f"{_O}/iam/testPermissions", "differs", "grants all that is asked"
    ),
    Method("storage.notifications.insert", "POST", "b/{bucket}/notificationConfigs"),
    Method("storage.notifications.list", "GET", "b/{bucket}/notificationConfigs"),
    Method("storage.notifications.get", "GET", "b/{bucket}/notificationConfigs/{notification}"),
    Method("storage.notifications.delete", "DELETE", "b/{bucket}/notificationConfigs/{notification}"),
    *_access_controls("bucketAccessControls", "b/{bucket}/acl"),
    *_access_controls("defaultObjectAccessControls", "b/{bucket}/defaultObjectAcl"),
    *_access_controls("objectAccessControls", f"{_O}/acl"),
    Method("storage.projects.serviceAccount.get", "GET", "projects/{projectId}/serviceAccount"),
    Method("storage.projects.hmacKeys.create", "POST", "projects/{projectId}/hmacKeys", "differs", _KEYS),
    Method("storage.projects.hmacKeys.list", "GET", "projects/{projectId}/hmacKeys"),
    Method("storage.projects.hmacKeys.get", "GET", "projects/{projectId}/hmacKeys/{accessId}"),
    Method("storage.projects.hmacKeys.update", "PUT", "projects/{projectId}/hmacKeys/{accessId}"),
    Method("storage.projects.hmacKeys.delete", "DELETE", "projects/{projectId}/hmacKeys/{accessId}"),
    Method(
        "storage.channels.stop",
        "POST",
        "channels/stop",
        "absent",
        "there are no channels; see storage.objects.watchAll",
    ),
    Method("storage.folders.insert", "POST", "b/{bucket}/folders"),
    Method("storage.folders.list", "GET", "b/{bucket}/folders"),
    Method("storage.folders.get", "GET", "b/{bucket}/folders/{folder}"),
    Method("storage.folders.delete", "DELETE", "b/{bucket}/folders/{folder}"),
    Method(
        "storage.folders.deleteRecursive", "POST", "b/{bucket}/folders/{folder}/deleteRecursive", "differs", _AT_ONCE
    ),
    Method("storage.folders.rename", "POST", "b/{bucket}/folders/{source}/renameTo/folders/{to}", "differs", _AT_ONCE),
    Method("storage.managedFolders.insert", "POST", "b/{bucket}/managedFolders"),
    Method("storage.managedFolders.list", "GET", "b/{bucket}/managedFolders"),
    Method("storage.managedFolders.get", "GET", f"{_MANAGED}"),
    Method("storage.managedFolders.delete", "DELETE", f"{_MANAGED}"),
    Method("storage.managedFolders.getIamPolicy", "GET", f"{_MANAGED}/iam", "differs", _NOT_ENFORCED),
    Method("storage.managedFolders.setIamPolicy", "PUT", f"{_MANAGED}/iam", "differs", _NOT_ENFORCED),
    Method(
        "storage.managedFolders.testIamPermissions",
        "GET",
        f"{_MANAGED}/iam/testPermissions",
        "differs",
        "grants all that is asked",
    ),
    Method("storage.anywhereCaches.insert", "POST", "b/{bucket}/anywhereCaches", "absent", _NO_CACHES),
    Method("storage.anywhereCaches.list", "GET", "b/{bucket}/anywhereCaches", "absent", _NO_CACHES),
    Method("storage.anywhereCaches.get", "GET", f"{_CACHE}", "absent", _NO_CACHES),
    Method("storage.anywhereCaches.update", "PATCH", f"{_CACHE}", "absent", _NO_CACHES),
    Method("storage.anywhereCaches.pause", "POST", f"{_CACHE}/pause", "absent", _NO_CACHES),
    Method("storage.anywhereCaches.resume", "POST", f"{_CACHE}/resume", "absent", _NO_CACHES),
    Method("storage.anywhereCaches.disable", "POST", f"{_CACHE}/disable", "absent", _NO_CACHES),
    Method("storage.operations.list", "GET", "b/{bucket}/operations"),
    Method("storage.operations.get", "GET", "b/{bucket}/operations/{operation}"),
    Method("storage.operations.cancel", "POST", "b/{bucket}/operations/{operation}/cancel", "differs", _AT_ONCE),
)
