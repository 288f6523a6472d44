"""XML multipart uploads, as google-cloud-storage's transfer manager makes them.

https://cloud.google.com/storage/docs/multipart-uploads
"""

from base64 import b64decode
from html import escape
from uuid import uuid4

import orjson

from emulators.storage.blobs import Blob
from emulators.storage.calls import NO_CONTENT, Call, Reply, Resource
from emulators.storage.errors import StorageError, invalid
from emulators.storage.preconditions import Preconditions
from emulators.storage.resources import rfc3339
from emulators.storage.uploads import check_digests, described_by_headers, receive, store_object
from emulators.storage.xml_bodies import parsed

_NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
_MOST_PARTS = 10_000
_SMALLEST_PART = 5 * 1024 * 1024  # of all but the last


def kind(call: Call) -> str:
    """What a request about multipart uploads does.

    Raises:
        StorageError: 400, no such request.
    """
    if "uploads" in call.query:
        kinds = {"POST": "create"}
    else:
        kinds = {"PUT": "uploadPart", "POST": "complete", "DELETE": "abort", "GET": "listParts"}
    if call.verb not in kinds:
        raise invalid(f"A multipart upload has no {call.verb} request here; expected {', '.join(kinds)}.")
    return kinds[call.verb]


async def answer(call: Call) -> Reply:
    """Carry out a request about a multipart upload."""
    return await {
        "create": _create,
        "uploadPart": _upload_part,
        "complete": _complete,
        "abort": _abort,
        "listParts": _list,
    }[kind(call)](call)


async def _create(call: Call) -> Reply:
    given = described_by_headers(call)
    upload_id = uuid4().hex
    with call.transaction() as store:
        store.bucket(call.path["bucket"])
        store.run(
            "INSERT INTO uploads VALUES (?, 'parts', ?, ?, ?, ?, NULL)",
            *(upload_id, call.path["bucket"], given["name"], store.clock.now(), orjson.dumps(given)),
        )
    return _xml(call, "InitiateMultipartUploadResult", f"<UploadId>{upload_id}</UploadId>")


async def _upload_part(call: Call) -> Reply:
    upload_id = call.one("uploadId")
    _given(call, upload_id)
    number = call.number("partNumber")
    if number is None or not 1 <= number <= _MOST_PARTS:
        raise invalid(f"'partNumber' must be 1 to {_MOST_PARTS}. Got {call.one('partNumber')!r}.")
    blob = await receive(call, call.body())
    try:
        check_digests({}, call.headers, blob)
        with call.transaction() as store:
            _given(call, upload_id)
            _forget_part(call, upload_id, number)
            etag = b64decode(blob.md5).hex()
            values = (upload_id, number, blob.id, blob.size, etag, store.clock.now())
            store.run("INSERT INTO parts VALUES (?, ?, ?, ?, ?, ?)", *values)
    except StorageError:
        await call.store.blobs.remove([blob.id])
        raise
    return Reply(headers={"etag": f'"{etag}"', "x-goog-hash": f"crc32c={blob.crc32c},md5={blob.md5}"})


async def _complete(call: Call) -> Reply:
    upload_id = call.one("uploadId")
    given = _given(call, upload_id)
    chosen = _chosen(call, upload_id, await call.whole_body())
    writer = call.store.blobs.writer()
    try:
        for file in [call.store.blobs.path(blob_id).open("rb") for blob_id in chosen]:
            await writer.copy(file)
        whole = await writer.finish()
    except BaseException:
        await writer.abandon()
        raise
    blob = Blob(whole.id, whole.size, whole.crc32c, "")  # the service gives such objects no MD5
    try:
        new = store_object(call, given["name"], given, blob, Preconditions.of(call))
    except StorageError:
        await call.store.blobs.remove([blob.id])
        raise
    _drop(call, upload_id)
    reply = _xml(call, "CompleteMultipartUploadResult", f"<ETag>{escape(new.resource['etag'])}</ETag>")
    reply.headers |= {
        "x-goog-generation": new.resource["generation"],
        "x-goog-metageneration": new.resource["metageneration"],
        "x-goog-hash": f"crc32c={blob.crc32c}",
    }
    return reply


def _chosen(call: Call, upload_id: str, body: bytes) -> list[str]:
    """The blobs of the parts that a completing request lists, in its order.

    Raises:
        StorageError: 400, the list cannot be read, is out of order, or names a part that is not there as named.
    """
    stored = {
        number: (blob, size, etag)
        for number, blob, size, etag in call.store.rows(
            "SELECT number, blob, size, etag FROM parts WHERE upload = ?", upload_id
        )
    }
    try:
        listed = [
            (int(part.findtext("{*}PartNumber", "")), part.findtext("{*}ETag", "").strip('"'))
            for part in parsed(body).iterfind("{*}Part")
        ]
    except ValueError as error:
        raise invalid(f"The body must be a CompleteMultipartUpload with numbered parts. {error}.") from None
    numbers = [number for number, _ in listed]
    if not listed or numbers != sorted(set(numbers)):
        raise StorageError(
            400, "invalid", f"Parts must be listed in rising order. Got {numbers}.", code="InvalidPartOrder"
        )
    for number, etag in listed:
        if number not in stored or stored[number][2] != etag:
            raise StorageError(400, "invalid", f"Part {number} with ETag {etag} was not uploaded.", code="InvalidPart")
    for number in numbers[:-1]:
        if stored[number][1] < _SMALLEST_PART:
            message = f"Part {number} must be at least {_SMALLEST_PART} bytes. Got {stored[number][1]}."
            raise StorageError(400, "invalid", message, code="EntityTooSmall")
    return [stored[number][0] for number in numbers]


async def _abort(call: Call) -> Reply:
    _given(call, call.one("uploadId"))
    _drop(call, call.one("uploadId"))
    return NO_CONTENT


async def _list(call: Call) -> Reply:
    upload_id = call.one("uploadId")
    _given(call, upload_id)
    query = "SELECT number, size, etag, written FROM parts WHERE upload = ? ORDER BY number"
    listed = "".join(
        f"<Part><PartNumber>{number}</PartNumber><LastModified>{rfc3339(written)}</LastModified>"
        f"<ETag>&quot;{etag}&quot;</ETag><Size>{size}</Size></Part>"
        for number, size, etag, written in call.store.rows(query, upload_id)
    )
    return _xml(call, "ListPartsResult", f"<UploadId>{upload_id}</UploadId><IsTruncated>false</IsTruncated>{listed}")


def _given(call: Call, upload_id: str) -> Resource:
    stored = call.store.value(
        "SELECT request FROM uploads WHERE id = ? AND kind = 'parts' AND bucket = ? AND name = ?",
        *(upload_id, call.path["bucket"], call.path["object"]),
    )
    if stored is None:
        raise StorageError(404, "notFound", f"There is no multipart upload {upload_id!r}.", code="NoSuchUpload")
    given: Resource = orjson.loads(stored)
    return given


def _forget_part(call: Call, upload_id: str, number: int) -> None:
    blob = call.store.value("SELECT blob FROM parts WHERE upload = ? AND number = ?", upload_id, number)
    if blob is not None:
        call.store.run("DELETE FROM parts WHERE upload = ? AND number = ?", upload_id, number)
        call.store.release(blob)


def _drop(call: Call, upload_id: str) -> None:
    with call.store.transaction():
        for (blob,) in call.store.rows("SELECT blob FROM parts WHERE upload = ?", upload_id):
            call.store.release(blob)
        call.store.run("DELETE FROM parts WHERE upload = ?", upload_id)
        call.store.run("DELETE FROM uploads WHERE id = ?", upload_id)


def _xml(call: Call, root: str, inner: str) -> Reply:
    where = f"<Bucket>{escape(call.path['bucket'])}</Bucket><Key>{escape(call.path['object'])}</Key>"
    body = f"<?xml version='1.0' encoding='UTF-8'?><{root} xmlns='{_NAMESPACE}'>{where}{inner}</{root}>"
    return Reply(body=body.encode(), headers={"content-type": "application/xml; charset=UTF-8"})
