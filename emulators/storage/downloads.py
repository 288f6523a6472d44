"""The bytes of an object: whole or in ranges, as stored or decompressed."""

import re
import zlib
from collections.abc import AsyncIterator
from email.utils import formatdate

from emulators.storage.blobs import SMALL
from emulators.storage.calls import Call, Reply
from emulators.storage.encryption import check_key
from emulators.storage.errors import StorageError
from emulators.storage.resources import from_rfc3339
from emulators.storage.state import Generation

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


def media(call: Call, found: Generation) -> Reply:
    """The answer to a download of `found`.

    Raises:
        StorageError: 416 a range beyond the end, 400 a wrong encryption key.
    """
    check_key(call, found)
    headers = media_headers(found)
    if _decompresses(call, found):
        return _decompressed(call, found, headers)
    start, end = 0, found.size
    wanted = _range(call.headers.get("range", ""), found.size)
    if wanted is not None:
        start, end = wanted
        headers["content-range"] = f"bytes {start}-{end - 1}/{found.size}"
    status = 200 if wanted is None else 206
    if call.verb == "HEAD":
        return Reply(status, headers=headers, length=end - start)
    if end - start <= SMALL:
        return Reply(status, call.store.blobs.read_small(found.blob, start, end), headers)
    return Reply(status, headers=headers, stream=call.store.blobs.read(found.blob, start, end), length=end - start)


def media_headers(found: Generation) -> dict[str, str]:
    """What the service says of an object in the headers of its bytes."""
    resource = found.resource
    digests = [f"crc32c={resource['crc32c']}"]
    if "md5Hash" in resource:
        digests.append(f"md5={resource['md5Hash']}")
    headers = {
        "content-type": resource.get("contentType", "application/octet-stream"),
        "accept-ranges": "bytes",
        "etag": resource["etag"],
        "last-modified": formatdate(from_rfc3339(resource["updated"], "updated"), usegmt=True),
        "x-goog-generation": resource["generation"],
        "x-goog-metageneration": resource["metageneration"],
        "x-goog-hash": ",".join(digests),
        "x-goog-storage-class": resource["storageClass"],
        "x-goog-stored-content-encoding": resource.get("contentEncoding", "identity"),
        "x-goog-stored-content-length": resource["size"],
    }
    for field, header in _FIXED_METADATA:
        if field in resource:
            headers[header] = resource[field]
    for key, value in resource.get("metadata", {}).items():
        if value.isascii() and value.isprintable() and re.fullmatch(r"[A-Za-z0-9!#$&^_.+-]+", key):
            headers[f"x-goog-meta-{key.lower()}"] = value
    return headers


_FIXED_METADATA = (
    ("cacheControl", "cache-control"),
    ("contentDisposition", "content-disposition"),
    ("contentEncoding", "content-encoding"),
    ("contentLanguage", "content-language"),
)


def _range(header: str, size: int) -> tuple[int, int] | None:
    """The asked range as start and end before which to stop; None for the whole object."""
    match = _RANGE.fullmatch(header.strip())
    if match is None or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if first:
        start, end = int(first), min(int(last) + 1 if last else size, size)
    else:
        start, end = max(size - int(last), 0), size
    if start >= end:
        raise StorageError(
            416,
            "requestedRangeNotSatisfiable",
            f"Request range not satisfiable: {header} of an object of {size} bytes.",
        )
    return start, end


def _decompresses(call: Call, found: Generation) -> bool:
    """Whether the service would decompress: https://cloud.google.com/storage/docs/transcoding"""
    return (
        found.resource.get("contentEncoding") == "gzip"
        and "gzip" not in call.headers.get("accept-encoding", "")
        and "no-transform" not in found.resource.get("cacheControl", "")
    )


def _decompressed(call: Call, found: Generation, headers: dict[str, str]) -> Reply:
    del headers["content-encoding"], headers["accept-ranges"]
    headers["warning"] = "214 UploadServer gunzipped"
    headers["x-guploader-response-body-transformations"] = "gunzipped"
    if call.verb == "HEAD":
        return Reply(headers=headers)
    return Reply(headers=headers, stream=_gunzip(call.store.blobs.read(found.blob, 0, found.size)))


async def _gunzip(stored: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    inflater = zlib.decompressobj(wbits=31)
    async for block in stored:
        while block:
            data = inflater.decompress(block, 1024 * 1024)
            if data:
                yield data
            block = inflater.unconsumed_tail
    rest = inflater.flush()
    if rest:
        yield rest
