"""The XML API as signed URLs and Google's tools use it: objects by GET, HEAD, PUT, DELETE, and resumable uploads.

https://cloud.google.com/storage/docs/xml-api/reference-methods
"""

from urllib.parse import quote, unquote, urlencode

from emulators.storage import downloads, objects, parts
from emulators.storage.calls import NO_CONTENT, Call, Reply
from emulators.storage.errors import StorageError, not_implemented
from emulators.storage.signing import check_signed
from emulators.storage.state import Generation
from emulators.storage.uploads import check_digests, described_by_headers, receive, store_object

_OBJECT_VERBS = ("GET", "HEAD", "PUT", "DELETE", "POST")


def operation(call: Call, raw_path: str) -> str:
    """The JSON API's name for what an XML request does, with its bucket and object put into the call's path.

    Raises:
        StorageError: 501, a request of the XML API that is not here.
    """
    bucket, _, name = raw_path.lstrip("/").partition("/")
    call.path = {"bucket": unquote(bucket), "object": unquote(name)}
    if not bucket or not name or call.verb not in _OBJECT_VERBS:
        raise not_implemented(f"XML {call.verb} of /{bucket}", "of buckets only the JSON API is here.")
    if "uploads" in call.query or "uploadId" in call.query:
        return "storage.multipartUploads." + parts.kind(call)
    if call.verb == "POST" and call.headers.get("x-goog-resumable") != "start":
        raise not_implemented("XML POST of an object", "HTML form uploads are not emulated.")
    return {"GET": "storage.objects.get", "HEAD": "storage.objects.get", "DELETE": "storage.objects.delete"}.get(
        call.verb, "storage.objects.insert"
    )


async def answer(call: Call) -> Reply:
    """Carry out an XML request whose `operation` is known."""
    check_signed(call)
    if "uploads" in call.query or "uploadId" in call.query:
        return await parts.answer(call)
    if "upload_id" in call.query:
        return await _proceed(call)
    if call.verb in ("GET", "HEAD"):
        return downloads.media(call, objects.find(call, read=True))
    if call.verb == "DELETE":
        await objects.delete(call)
        return NO_CONTENT
    return await (_begin(call) if call.verb == "POST" else _put(call))


async def _put(call: Call) -> Reply:
    if "x-goog-copy-source" in call.headers:
        raise not_implemented("XML copy", "use storage.objects.rewrite of the JSON API.")
    call.store.bucket(call.path["bucket"])
    given = described_by_headers(call)
    blob = await receive(call, call.body())
    try:
        check_digests(given, call.headers, blob)
        new = store_object(call, given["name"], given, blob)
    except StorageError:
        await call.store.blobs.remove([blob.id])
        raise
    return _stored(new)


async def _begin(call: Call) -> Reply:
    given = described_by_headers(call)
    upload_id = call.emulator.resumable.record(call, given["name"], given)
    query = urlencode({"upload_id": upload_id})
    location = f"{call.base_url}/{call.path['bucket']}/{quote(given['name'], safe='/~')}?{query}"
    return Reply(201, headers={"location": location, "x-guploader-uploadid": upload_id})


async def _proceed(call: Call) -> Reply:
    if call.verb == "DELETE":
        return await call.emulator.resumable.cancel(call)
    reply = await call.emulator.resumable.proceed(call)
    if reply.status != 200:
        return reply
    return _stored(call.store.find(call.path["bucket"], call.path["object"]))


def _stored(new: Generation) -> Reply:
    shown = downloads.media_headers(new)
    names = ("etag", "x-goog-generation", "x-goog-metageneration", "x-goog-hash", "x-goog-stored-content-length")
    return Reply(headers={"content-type": "text/html; charset=UTF-8"} | {name: shown[name] for name in names})
