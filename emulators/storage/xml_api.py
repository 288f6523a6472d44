"""The XML API as signed URLs and Google's tools use it: of objects here, of buckets in `xml_buckets`.

https://cloud.google.com/storage/docs/xml-api/reference-methods
"""

from urllib.parse import quote, unquote, urlencode
from xml.etree.ElementTree import Element

from emulators.storage import copies, downloads, objects, parts, xml_buckets
from emulators.storage.calls import NO_CONTENT, Call, Reply
from emulators.storage.errors import StorageError, not_implemented
from emulators.storage.signing import check_signed
from emulators.storage.state import Generation
from emulators.storage.uploads import check_digests, described_by_headers, receive, store_object
from emulators.storage.xml_bodies import leaf, xml_reply

_OBJECT_VERBS = ("GET", "HEAD", "PUT", "DELETE", "POST")
_COPY_CONDITIONS = {
    "x-goog-copy-source-generation": "sourceGeneration",
    "x-goog-copy-source-if-generation-match": "ifSourceGenerationMatch",
    "x-goog-copy-source-if-metageneration-match": "ifSourceMetagenerationMatch",
}


def operation(call: Call, raw_path: str) -> str:
    """The JSON API's name for what an XML request does, with its bucket and object put into the call's path.

    Raises:
        StorageError: 501, a request of the XML API that is not here.
    """
    bucket, _, name = raw_path.lstrip("/").partition("/")
    call.path = {"bucket": unquote(bucket), "object": unquote(name)}
    if not name:
        return xml_buckets.operation(call)
    if call.verb not in _OBJECT_VERBS:
        raise not_implemented(f"XML {call.verb} of an object", "use the JSON API.")
    if "uploads" in call.query or "uploadId" in call.query:
        return "storage.multipartUploads." + parts.kind(call)
    if call.verb == "POST" and call.headers.get("x-goog-resumable") != "start":
        raise not_implemented("XML POST of an object", "HTML form uploads are not emulated.")
    return {"GET": "storage.objects.get", "HEAD": "storage.objects.get", "DELETE": "storage.objects.delete"}.get(
        call.verb, "storage.objects.insert"
    )


async def answer(call: Call) -> Reply:
    """Carry out an XML request whose `operation` is known."""
    if not call.path["object"]:
        return await xml_buckets.answer(call)
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
        return _copy(call)
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


def _copy(call: Call) -> Reply:
    """A PUT with x-goog-copy-source: with the source's metadata, or with the request's where it says REPLACE."""
    bucket, _, name = unquote(call.headers["x-goog-copy-source"]).lstrip("/").partition("/")
    for header, parameter in _COPY_CONDITIONS.items():
        if header in call.headers:
            call.query[parameter] = [call.headers[header]]
    replace = call.headers.get("x-goog-metadata-directive", "COPY").upper() == "REPLACE"
    given = described_by_headers(call) if replace else {}
    new = copies.copied_to(call, bucket, name, given)
    root = Element("CopyObjectResult")
    leaf(root, "LastModified", new.resource["updated"])
    leaf(root, "ETag", f'"{new.resource["etag"]}"')
    reply = xml_reply(root)
    reply.headers = _stored(new).headers | reply.headers
    return reply


async def _begin(call: Call) -> Reply:
    given = described_by_headers(call)
    upload_id = call.resumable.record(call, given["name"], given)
    query = urlencode({"upload_id": upload_id})
    location = f"{call.base_url}/{call.path['bucket']}/{quote(given['name'], safe='/~')}?{query}"
    return Reply(201, headers={"location": location, "x-guploader-uploadid": upload_id})


async def _proceed(call: Call) -> Reply:
    if call.verb == "DELETE":
        return await call.resumable.cancel(call)
    reply = await call.resumable.proceed(call)
    if reply.status != 200:
        return reply
    return _stored(call.store.find(call.path["bucket"], call.path["object"]))


def _stored(new: Generation) -> Reply:
    shown = downloads.media_headers(new)
    names = ("etag", "x-goog-generation", "x-goog-metageneration", "x-goog-hash", "x-goog-stored-content-length")
    return Reply(headers={"content-type": "text/html; charset=UTF-8"} | {name: shown[name] for name in names})
