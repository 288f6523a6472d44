"""The XML API's requests for the service and for buckets: lists, creation, deletion.

https://cloud.google.com/storage/docs/xml-api/reference-methods
"""

from xml.etree.ElementTree import Element, SubElement

from emulators.storage import buckets, listing
from emulators.storage.calls import NO_CONTENT, Call, Reply
from emulators.storage.errors import not_implemented
from emulators.storage.signing import check_signed
from emulators.storage.state import Generation
from emulators.storage.xml_bodies import leaf, parsed, xml_reply

_NAMESPACE = "http://doc.s3.amazonaws.com/2006-03-01"  # the one that Google's answers carry
_OPERATIONS = {
    "GET": "storage.objects.list",
    "HEAD": "storage.buckets.get",
    "PUT": "storage.buckets.insert",
    "DELETE": "storage.buckets.delete",
}
_PARAMETERS = {"max-keys": "maxResults", "continuation-token": "pageToken"}
_SUBRESOURCES = ("acl", "billing", "cors", "encryption", "lifecycle", "logging", "storageClass", "tagging", "website")


def operation(call: Call) -> str:
    """The JSON API's name for what a request for a bucket, or with none for the service, does.

    Raises:
        StorageError: 501, a request of the XML API that is not here.
    """
    asked = next((name for name in _SUBRESOURCES if name in call.query), "")
    if asked or (call.verb != "GET" and not call.path["bucket"]) or call.verb not in _OPERATIONS:
        where = f"/{call.path['bucket']}" + (f"?{asked}" if asked else "")
        raise not_implemented(f"XML {call.verb} of {where}", "use the JSON API for a bucket's settings.")
    return _OPERATIONS[call.verb] if call.path["bucket"] else "storage.buckets.list"


async def answer(call: Call) -> Reply:
    """Carry out a request whose `operation` is known."""
    check_signed(call)
    if not call.path["bucket"]:
        return _service(call)
    if call.verb == "PUT":
        return await _put(call)
    if call.verb == "DELETE":
        await buckets.delete(call)
        return NO_CONTENT
    bucket = call.store.bucket(call.path["bucket"])
    if call.verb == "HEAD":
        return Reply(
            headers={
                "x-goog-metageneration": bucket["metageneration"],
                "x-goog-storage-class": bucket["storageClass"],
                "x-goog-bucket-location": bucket["location"],
            }
        )
    return _objects(call)


def _service(call: Call) -> Reply:
    root = Element("ListAllMyBucketsResult", xmlns=_NAMESPACE)
    listed = SubElement(root, "Buckets")
    for (name,) in call.store.rows("SELECT name FROM buckets ORDER BY name"):
        bucket = SubElement(listed, "Bucket")
        leaf(bucket, "Name", name)
        leaf(bucket, "CreationDate", call.store.bucket(name)["timeCreated"])
    return xml_reply(root)


async def _put(call: Call) -> Reply:
    body = await call.whole_body()
    given = {"name": call.path["bucket"], **_configuration(body)}
    with call.transaction() as store:
        buckets.create(store, given, "")
    return Reply(200, headers={"content-type": "text/html; charset=UTF-8"})


def _configuration(body: bytes) -> dict[str, str]:
    """The settings in a CreateBucketConfiguration."""
    if not body:
        return {}
    found = {element.tag.rpartition("}")[2]: element.text or "" for element in parsed(body)}
    wanted = {"LocationConstraint": "location", "StorageClass": "storageClass"}
    return {wanted[name]: text for name, text in found.items() if name in wanted and text}


def _objects(call: Call) -> Reply:
    second = call.one("list-type") == "2"
    for name, parameter in _PARAMETERS.items():
        if call.one(name):
            call.query[parameter] = [call.one(name)]
    versions = call.one("versions", "false").lower() != "false"  # `?versions` says so without a value
    call.query["versions"] = ["true" if versions else "false"]
    marker = call.one("marker") or call.one("start-after")
    generation = call.number("generation-marker") if versions else None
    if marker and generation is not None:
        call.query["pageToken"] = [listing.token((marker, generation + 1))]
    elif marker:  # the last that was seen, where startOffset is the first that is wanted
        is_prefix = bool(call.one("delimiter")) and marker.endswith(call.one("delimiter"))
        call.query["startOffset"] = [listing.successor(marker) if is_prefix else marker + "\0"]
    page = listing.page(call)
    root = Element("ListBucketResult", xmlns=_NAMESPACE)
    leaf(root, "Name", call.path["bucket"])
    leaf(root, "Prefix", call.one("prefix"))
    if call.one("delimiter"):
        leaf(root, "Delimiter", call.one("delimiter"))
    if not second:
        leaf(root, "Marker", marker)
    leaf(root, "IsTruncated", "true" if page.next else "false")
    if page.next and second:
        leaf(root, "NextContinuationToken", listing.token(page.next))
    elif page.next:
        _next_marker(root, page, versions=versions)
    for item in page.items:
        _contents(root, item, with_version=versions)
    for prefix in page.prefixes:
        leaf(SubElement(root, "CommonPrefixes"), "Prefix", prefix)
    return xml_reply(root)


def _next_marker(root: Element, page: "listing.Page", *, versions: bool) -> None:
    """The last name of a page, from which the next one goes on; of versions also the generation."""
    last = max([item.name for item in page.items[-1:]] + page.prefixes[-1:])
    leaf(root, "NextMarker", last)
    if versions and page.items and page.items[-1].name == last:
        leaf(root, "NextGenerationMarker", str(page.items[-1].generation))


def _contents(root: Element, item: Generation, *, with_version: bool) -> None:
    entry = SubElement(root, "Version" if with_version else "Contents")
    for name, field in (
        ("Key", "name"),
        ("Generation", "generation"),
        ("MetaGeneration", "metageneration"),
        ("LastModified", "updated"),
        ("ETag", "etag"),
        ("Size", "size"),
    ):
        text = item.resource[field]
        leaf(entry, name, f'"{text}"' if name == "ETag" else text)
