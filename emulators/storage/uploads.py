"""storage.objects.insert in one request: plain media, or metadata and media together."""

from base64 import b64decode, b64encode
from collections.abc import AsyncIterator
from typing import Any

from emulators.storage import access, generations
from emulators.storage.blobs import Blob, BlobWriter
from emulators.storage.calls import Call, Reply, json_reply, parse_json
from emulators.storage.encryption import key_of
from emulators.storage.errors import invalid, wrong_digest
from emulators.storage.multipart import Related, boundary_of
from emulators.storage.preconditions import Preconditions
from emulators.storage.presentation import object_resource
from emulators.storage.resources import object_name
from emulators.storage.state import Generation, Store

Resource = dict[str, Any]

_HEADER_FIELDS = {
    "cache-control": "cacheControl",
    "content-disposition": "contentDisposition",
    "content-encoding": "contentEncoding",
    "content-language": "contentLanguage",
    "x-goog-custom-time": "customTime",
    "x-goog-storage-class": "storageClass",
}


async def insert(call: Call) -> Reply:
    """storage.objects.insert with uploadType media, multipart or resumable."""
    kind = call.one("uploadType")
    if kind == "resumable":
        return await call.resumable.begin(call)
    if kind not in ("media", "multipart"):
        raise invalid(f"'uploadType' must be media, multipart or resumable. Got {kind!r}.")
    call.store.bucket(call.path["bucket"])
    given: Resource = {}
    media: AsyncIterator[bytes] = call.body()
    content_type = call.headers.get("content-type", "")
    if kind == "multipart":
        related = Related(media, boundary_of(content_type))
        await related.open()
        given, media, content_type = parse_json(related.metadata), related.media(), related.media_type
    given = described(call, given, content_type)
    name = object_name(given["name"])
    blob = await receive(call, media)
    try:
        check_digests(given, call.headers, blob)
        new = store_object(call, name, given, blob)
    except Exception:
        await call.store.blobs.remove([blob.id])
        raise
    return json_reply(object_resource(call, new))


def described(call: Call, given: Resource, content_type: str) -> Resource:
    """The resource that an upload asks for, from its body, its query and its headers."""
    resource = dict(given)
    resource["name"] = call.one("name") or str(given.get("name", ""))
    if content_type and not resource.get("contentType"):
        resource["contentType"] = content_type
    if call.one("contentEncoding"):
        resource["contentEncoding"] = call.one("contentEncoding")
    if call.one("predefinedAcl"):
        resource["acl"] = access.object_acl({}, call.one("predefinedAcl"))
    encryption = key_of(call)
    if encryption is not None:
        resource["customerEncryption"] = encryption
    if call.one("kmsKeyName"):
        resource["kmsKeyName"] = call.one("kmsKeyName")
    return resource


def described_by_headers(call: Call) -> Resource:
    """The object resource that an XML request describes in its headers."""
    given: Resource = {field: call.headers[name] for name, field in _HEADER_FIELDS.items() if name in call.headers}
    prefix = "x-goog-meta-"
    given["metadata"] = {
        name.removeprefix(prefix): value for name, value in call.headers.items() if name.startswith(prefix)
    }
    given["name"] = object_name(call.path["object"])
    return described(call, given, call.headers.get("content-type", ""))


async def receive(call: Call, media: AsyncIterator[bytes]) -> Blob:
    """Write the bytes of a request to a new blob; an interrupted one leaves nothing.

    Raises:
        ClientGone: the client went away half-way.
    """
    writer = call.store.blobs.writer()
    try:
        return await _filled(writer, media)
    except BaseException:
        await writer.abandon()
        raise


async def _filled(writer: BlobWriter, media: AsyncIterator[bytes]) -> Blob:
    async for chunk in media:
        await writer.write(chunk)
    return await writer.finish()


def check_digests(given: Resource, headers: dict[str, str], blob: Blob) -> None:
    """Compare what arrived with every digest the client sent.

    Raises:
        StorageError: 400.
    """
    claims: list[tuple[str, Any]] = [
        ("CRC32C", given.get("crc32c")),
        ("MD5", given.get("md5Hash")),
        ("MD5", headers.get("content-md5")),
    ]
    for claim in headers.get("x-goog-hash", "").split(","):
        kind, _, value = claim.strip().partition("=")
        claims.append((kind.upper(), value))
    computed = {"CRC32C": blob.crc32c, "MD5": blob.md5}
    for kind, value in claims:
        if value and computed.get(kind, "") and _canonical(value) != computed[kind]:
            raise wrong_digest(kind, value, computed[kind])


def _canonical(digest: str) -> str:
    try:
        return b64encode(b64decode(digest + "==")).decode()
    except ValueError:
        return digest


def store_object(
    call: Call, name: str, given: Resource, blob: Blob, conditions: Preconditions | None = None
) -> Generation:
    """Write the new generation in a transaction of its own."""
    conditions = conditions or Preconditions.of(call)
    with call.transaction() as store:
        return write_uploaded(store, call.path["bucket"], name, given, blob, conditions)


def write_uploaded(
    store: Store, bucket: str, name: str, given: Resource, blob: Blob, conditions: Preconditions
) -> Generation:
    """Write an uploaded generation within the caller's transaction, with the bucket's access control list."""
    if "acl" not in given:
        given = {**given, "acl": access.object_acl(store.bucket(bucket), "")}
    return generations.write(store, bucket, name, given, blob, conditions)
