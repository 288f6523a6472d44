"""Access control as data: lists and policies are kept and shown, and nothing is refused because of them."""

from base64 import b64encode
from typing import Any

from emulators.storage.calls import NO_CONTENT, Call, Reply, json_reply
from emulators.storage.errors import StorageError, condition_not_met, invalid, required
from emulators.storage.generations import change
from emulators.storage.state import Generation

Resource = dict[str, Any]

_OWNERS = "project-owners-123456789012"
_PREDEFINED = {
    "": [],
    "private": [],
    "projectPrivate": [("project-viewers-123456789012", "READER")],
    "publicRead": [("allUsers", "READER")],
    "publicReadWrite": [("allUsers", "WRITER")],
    "authenticatedRead": [("allAuthenticatedUsers", "READER")],
    "bucketOwnerRead": [("project-editors-123456789012", "READER")],
    "bucketOwnerFullControl": [("project-editors-123456789012", "OWNER")],
}


def bucket_acl(bucket: str, predefined: str = "") -> list[Resource]:
    """The access control list of a new bucket."""
    return [{"kind": "storage#bucketAccessControl", "bucket": bucket, **entry} for entry in _entries(predefined)]


def default_object_acl(predefined: str = "projectPrivate") -> list[Resource]:
    """What new objects are given."""
    return [{"kind": "storage#objectAccessControl", **entry} for entry in _entries(predefined)]


def object_acl(bucket: Resource, predefined: str) -> list[Resource]:
    """The access control list of a new object."""
    if predefined:
        return default_object_acl(predefined)
    return [dict(entry) for entry in bucket.get("defaultObjectAcl", [])]


def _entries(predefined: str) -> list[Resource]:
    if predefined not in _PREDEFINED:
        raise invalid(f"A predefined ACL must be one of {', '.join(_PREDEFINED)}. Got {predefined!r}.")
    return [
        {"entity": entity, "role": role, "etag": "CAE="}
        for entity, role in [(_OWNERS, "OWNER"), *_PREDEFINED[predefined]]
    ]


# One set of handlers for the three kinds of lists. Which one a call means follows from its operation's name.


class _List:
    """The list a call is about, and how to store it once changed."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self.bucket = call.store.bucket(call.path["bucket"])
        self.subject: Generation | None = None
        if self.bucket["iamConfiguration"]["uniformBucketLevelAccess"].get("enabled"):
            raise invalid(
                f"Cannot use ACL API to update bucket policy when uniform bucket-level access is enabled on "
                f"{self.bucket['name']!r}."
            )
        collection = call.operation.split(".")[1]
        if collection == "objectAccessControls":
            self.subject = call.store.find(self.bucket["name"], call.path["object"], call.number("generation"))
            self.entries: list[Resource] = self.subject.resource.setdefault("acl", object_acl(self.bucket, ""))
        else:
            field = "acl" if collection == "bucketAccessControls" else "defaultObjectAcl"
            self.entries = self.bucket.setdefault(field, [])
        self.kind = (
            "storage#bucketAccessControl" if collection == "bucketAccessControls" else "storage#objectAccessControl"
        )

    def find(self, entity: str) -> Resource:
        for entry in self.entries:
            if entry["entity"] == entity:
                return entry
        raise StorageError(404, "notFound", f"The specified ACL entry does not exist: {entity!r}.")

    def put(self, given: Resource) -> Resource:
        entity, role = given.get("entity"), given.get("role")
        if not entity or not role:
            raise required("'entity' and 'role'")
        self.entries[:] = [entry for entry in self.entries if entry["entity"] != entity]
        entry = {"kind": self.kind, "entity": entity, "role": role, "bucket": self.bucket["name"], "etag": "CAE="}
        if self.subject is not None:
            entry |= {"object": self.subject.name, "generation": str(self.subject.generation)}
        self.entries.append(entry)
        return entry

    def store(self) -> None:
        if self.subject is not None:
            change(self._call.store, self.subject)
        else:
            self.bucket["metageneration"] = str(int(self.bucket["metageneration"]) + 1)
            self._call.store.put_bucket(self.bucket)


async def acl_list(call: Call) -> Reply:
    """storage.*AccessControls.list."""
    found = _List(call)
    return json_reply({"kind": found.kind + "s", "items": found.entries})


async def acl_get(call: Call) -> Reply:
    """storage.*AccessControls.get."""
    return json_reply(_List(call).find(call.path["entity"]))


async def acl_insert(call: Call) -> Reply:
    """storage.*AccessControls.insert."""
    given = await call.json()
    with call.transaction():
        found = _List(call)
        entry = found.put(given)
        found.store()
    return json_reply(entry)


async def acl_update(call: Call) -> Reply:
    """storage.*AccessControls.update and patch: only the role can change."""
    given = await call.json()
    with call.transaction():
        found = _List(call)
        entry = found.put({**found.find(call.path["entity"]), **given})
        found.store()
    return json_reply(entry)


async def acl_delete(call: Call) -> Reply:
    """storage.*AccessControls.delete."""
    with call.transaction():
        found = _List(call)
        found.entries.remove(found.find(call.path["entity"]))
        found.store()
    return NO_CONTENT


# IAM policies: of buckets, objects and managed folders, each kept with its resource


async def get_policy(call: Call) -> Reply:
    """storage.buckets.getIamPolicy."""
    bucket = call.store.bucket(call.path["bucket"])
    return json_reply(policy_of(bucket, f"projects/_/buckets/{bucket['name']}"))


async def set_policy(call: Call) -> Reply:
    """storage.buckets.setIamPolicy: refused with 412 when its etag is not that of the present policy."""
    given = await call.json()
    with call.transaction() as store:
        bucket = store.bucket(call.path["bucket"])
        where = f"projects/_/buckets/{bucket['name']}"
        replace_policy(bucket, given, where)
        store.put_bucket(bucket)
    return json_reply(policy_of(bucket, where))


async def get_object_policy(call: Call) -> Reply:
    """storage.objects.getIamPolicy."""
    found = call.store.find(call.path["bucket"], call.path["object"], call.number("generation"))
    return json_reply(policy_of(found.resource, _object_path(found)))


async def set_object_policy(call: Call) -> Reply:
    """storage.objects.setIamPolicy: as for buckets; the object's metageneration grows."""
    given = await call.json()
    with call.transaction() as store:
        found = store.find(call.path["bucket"], call.path["object"], call.number("generation"))
        replace_policy(found.resource, given, _object_path(found))
        change(store, found)
    return json_reply(policy_of(found.resource, _object_path(found)))


async def test_permissions(call: Call) -> Reply:
    """storage.*.testIamPermissions: the emulator lets everyone do everything."""
    call.store.bucket(call.path["bucket"])
    answer: Resource = {"kind": "storage#testIamPermissionsResponse", "permissions": call.query.get("permissions", [])}
    return json_reply(answer)


def replace_policy(resource: Resource, given: Resource, where: str) -> None:
    """Put a policy into a stored resource.

    Raises:
        StorageError: 412, its etag is not that of the present one.
    """
    present = policy_of(resource, where)
    if given.get("etag") and given["etag"] != present["etag"]:
        raise condition_not_met("etag", str(given["etag"]), present["etag"])
    resource["iamPolicy"] = {
        "number": resource.get("iamPolicy", {}).get("number", 0) + 1,
        "version": given.get("version", 1),
        "bindings": given.get("bindings", []),
    }


def policy_of(resource: Resource, where: str) -> Resource:
    """The policy of a stored resource, as the API shows it; a bucket has one from its beginning."""
    stored = resource.get("iamPolicy") or {"number": 0, "version": 1, "bindings": _first_bindings(resource)}
    return {
        "kind": "storage#policy",
        "resourceId": where,
        "version": stored["version"],
        "bindings": stored["bindings"],
        "etag": b64encode(f"policy {stored['number']}".encode()).decode(),
    }


def _first_bindings(resource: Resource) -> list[Resource]:
    project = resource.get("projectNumber")
    if project is None:
        return []
    owners = [f"projectOwner:{project}", f"projectEditor:{project}"]
    return [
        {"role": "roles/storage.legacyBucketOwner", "members": owners},
        {"role": "roles/storage.legacyBucketReader", "members": [f"projectViewer:{project}"]},
    ]


def _object_path(found: Generation) -> str:
    return f"projects/_/buckets/{found.bucket}/objects/{found.name}"
