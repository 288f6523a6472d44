"""How objects and buckets look in the JSON API: which fields a caller may set, and which the service keeps."""

from base64 import b64encode
from datetime import UTC, datetime
from typing import Any

from emulators.storage.blobs import Blob
from emulators.storage.errors import invalid, required

Resource = dict[str, Any]

OBJECT_FIELDS = {  # what a caller may set: https://cloud.google.com/storage/docs/json_api/v1/objects#resource
    "acl",
    "cacheControl",
    "contentDisposition",
    "contentEncoding",
    "contentLanguage",
    "contentType",
    "contexts",
    "customTime",
    "eventBasedHold",
    "metadata",
    "retention",
    "storageClass",
    "temporaryHold",
}
BUCKET_FIELDS = {
    "acl",
    "autoclass",
    "billing",
    "cors",
    "customPlacementConfig",
    "defaultEventBasedHold",
    "defaultObjectAcl",
    "encryption",
    "hierarchicalNamespace",
    "iamConfiguration",
    "ipFilter",
    "labels",
    "lifecycle",
    "logging",
    "retentionPolicy",
    "rpo",
    "softDeletePolicy",
    "storageClass",
    "versioning",
    "website",
}


def rfc3339(seconds: float) -> str:
    """A time as the JSON API writes it, in milliseconds."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def from_rfc3339(text: str, field: str) -> float:
    """Seconds since the epoch.

    Raises:
        StorageError: 400, no RFC 3339 time; the message names `field`.
    """
    try:
        return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
    except (ValueError, AttributeError):
        raise invalid(f"'{field}' must be an RFC 3339 time such as 2026-01-31T12:00:00Z. Got {text!r}.") from None


def etag(generation: int, metageneration: int) -> str:
    """An ETag of the service's form: base64 of a protobuf with the two numbers."""
    return b64encode(b"\x08" + _varint(generation) + b"\x10" + _varint(metageneration)).decode()


def object_name(name: str) -> str:
    """`name`, when it is one an object may have.

    Raises:
        StorageError: 400; https://cloud.google.com/storage/docs/objects#naming
    """
    if not name:
        raise required("an object name")
    try:
        size = len(name.encode())
    except UnicodeEncodeError:
        raise invalid(f"An object name must be valid UTF-8. Got {name!r}.") from None
    if size > 1024:
        raise invalid(f"An object name must be at most 1024 bytes of UTF-8. Got {size}.")
    if name in (".", "..") or "\r" in name or "\n" in name or name.startswith(".well-known/acme-challenge/"):
        raise invalid(f"The service does not allow the object name {name!r}.")
    return name


def new_object(bucket: Resource, name: str, given: Resource, blob: Blob, generation: int, now: float) -> Resource:
    """The resource of a new generation: what the caller gave, and what the service adds."""
    time = rfc3339(now)
    size = blob.size
    resource: Resource = {
        "kind": "storage#object",
        "name": name,
        "bucket": bucket["name"],
        "generation": str(generation),
        "contentType": "application/octet-stream",
        "storageClass": bucket.get("storageClass", "STANDARD"),
        "size": str(size),
        "crc32c": blob.crc32c,
        "timeCreated": time,
        "timeStorageClassUpdated": time,
        "timeFinalized": time,
    }
    if blob.md5:
        resource["md5Hash"] = blob.md5
    resource |= {key: value for key, value in given.items() if key in OBJECT_FIELDS and value not in (None, {}, [])}
    resource |= {key: given[key] for key in ("customerEncryption", "kmsKeyName") if key in given}
    resource["metadata"] = checked_metadata(given)
    if not resource["metadata"]:
        del resource["metadata"]
    return touched(resource, now, 1)


def checked_metadata(given: Resource) -> dict[str, str]:
    """The custom metadata of a request: names and values are text.

    Raises:
        StorageError: 400.
    """
    metadata = given.get("metadata") or {}
    if not isinstance(metadata, dict):
        raise invalid(f"'metadata' must be an object of texts. Got {type(metadata).__name__}.")
    for key, value in metadata.items():
        if not isinstance(value, str):
            raise invalid(f"'metadata.{key}' must be a text. Got {value!r}.")
    return metadata


def touched(resource: Resource, now: float, metageneration: int) -> Resource:
    """The resource with the fields that follow from its metageneration."""
    resource["metageneration"] = str(metageneration)
    resource["updated"] = rfc3339(now)
    resource["etag"] = etag(int(resource["generation"]), metageneration)
    return resource


def merged(resource: Resource, patch: Resource, allowed: set[str]) -> Resource:
    """A JSON merge patch (RFC 7396) of the fields a caller may set; null removes."""
    return _merge(resource, {key: value for key, value in patch.items() if key in allowed})


def _merge(base: Resource, patch: Resource) -> Resource:
    result = dict(base)
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, dict):
            inner = result.get(key)
            result[key] = _merge(inner if isinstance(inner, dict) else {}, value)
        else:
            result[key] = value
    return result


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)
