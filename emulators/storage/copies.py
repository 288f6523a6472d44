"""storage.objects.copy, rewrite, move and compose: new generations from stored ones, each under preconditions.

A copy shares the blob of its source; only compose writes bytes.
"""

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import orjson

from emulators.storage import generations
from emulators.storage.blobs import Blob
from emulators.storage.calls import Call, Reply, json_reply
from emulators.storage.encryption import check_key
from emulators.storage.errors import StorageError, condition_not_met, invalid
from emulators.storage.preconditions import Preconditions
from emulators.storage.presentation import object_resource
from emulators.storage.resources import OBJECT_FIELDS, object_name
from emulators.storage.state import Generation, Store
from emulators.storage.uploads import described, write_uploaded

Resource = dict[str, Any]

_MOST_COMPONENTS = 32
_NOT_COPIED = {"acl", "temporaryHold", "eventBasedHold", "retention"}


@dataclass(frozen=True)
class _Places:
    """From where to where a call copies."""

    source_bucket: str
    source: str
    bucket: str
    name: str


def _places(call: Call) -> _Places:
    path = call.path
    return _Places(
        path["sourceBucket"], path["sourceObject"], path["destinationBucket"], object_name(path["destinationObject"])
    )


def _source(call: Call, bucket: str, name: str) -> Generation:
    found = call.store.find(bucket, name, call.number("sourceGeneration"))
    Preconditions.of(call, "Source").check(found.generation, found.metageneration)
    check_key(call, found, "copy-source-")
    return found


def _copied(call: Call, store: Store, source: Generation, places: _Places, given: Resource) -> Generation:
    """A new generation with the source's bytes: with its metadata too, unless the call gives its own."""
    metadata = {key: value for key, value in given.items() if key in OBJECT_FIELDS}
    if not metadata:
        metadata = {key: source.resource[key] for key in OBJECT_FIELDS - _NOT_COPIED if key in source.resource}
        metadata.pop("storageClass", None)
    metadata.setdefault("contentType", source.resource["contentType"])
    metadata = described(call, {**metadata, "name": places.name}, "")
    resource = source.resource
    blob = Blob(source.blob, source.size, resource["crc32c"], resource.get("md5Hash", ""))
    new = write_uploaded(store, places.bucket, places.name, metadata, blob, Preconditions.of(call))
    if "componentCount" in resource:
        new.resource["componentCount"] = resource["componentCount"]
        store.update(new)
    return new


async def copy(call: Call) -> Reply:
    """storage.objects.copy."""
    given = await call.json()
    return json_reply(object_resource(call, _copy(call, _places(call), given)))


def copied_to(call: Call, bucket: str, name: str, given: Resource) -> Generation:
    """Copy an object to the one that the call names, in a transaction of its own; see `_copied` for `given`."""
    return _copy(call, _Places(bucket, name, call.path["bucket"], object_name(call.path["object"])), given)


def _copy(call: Call, places: _Places, given: Resource) -> Generation:
    with call.transaction() as store:
        source = _source(call, places.source_bucket, places.source)
        return _copied(call, store, source, places, given)


async def rewrite(call: Call) -> Reply:
    """storage.objects.rewrite: at once, or in as many calls as `maxBytesRewrittenPerCall` asks for.

    A token belongs to one source generation and one destination; the object appears with the last call.
    """
    given = await call.json()
    places = _places(call)
    with call.transaction() as store:
        source = _source(call, places.source_bucket, places.source)
        most = call.number("maxBytesRewrittenPerCall") or source.size
        if most < min(source.size, 1024 * 1024):
            raise invalid(f"'maxBytesRewrittenPerCall' must be at least 1048576. Got {most}.")
        identity = orjson.dumps([call.path, source.generation])
        token = call.one("rewriteToken")
        written = 0
        if token:
            rows = store.rows("SELECT written FROM rewrites WHERE token = ? AND request = ?", token, identity)
            if not rows:
                raise invalid("'rewriteToken' does not belong to a rewrite of this source to this destination.")
            written = rows[0][0]
        written = min(written + most, source.size)
        answer: Resource = {
            "kind": "storage#rewriteResponse",
            "objectSize": str(source.size),
            "totalBytesRewritten": str(written),
            "done": written == source.size,
        }
        if token:
            store.run("DELETE FROM rewrites WHERE token = ?", token)
        if answer["done"]:
            answer["resource"] = object_resource(call, _copied(call, store, source, places, given))
        else:
            answer["rewriteToken"] = uuid4().hex
            store.run("INSERT INTO rewrites VALUES (?, ?, ?)", answer["rewriteToken"], identity, written)
    return json_reply(answer)


async def move(call: Call) -> Reply:
    """storage.objects.move: one atomic step within a bucket; the source must not be held."""
    bucket_name = call.path["bucket"]
    places = _Places(bucket_name, call.path["sourceObject"], bucket_name, object_name(call.path["destinationObject"]))
    if places.source == places.name:
        raise invalid(f"The source and the destination of a move must differ. Both are {places.name!r}.")
    with call.transaction() as store:
        source = _source(call, bucket_name, places.source)
        generations.check_not_held(store, source, "moved")
        new = _copied(call, store, source, places, {})
        generations.displace(store, store.bucket(bucket_name), source, by=None)
    return json_reply(object_resource(call, new))


async def compose(call: Call) -> Reply:
    """storage.objects.compose: up to 32 objects of one bucket end to end."""
    given = await call.json()
    bucket, name = call.path["destinationBucket"], object_name(call.path["destinationObject"])
    asked = given.get("sourceObjects") or []
    if not 1 <= len(asked) <= _MOST_COMPONENTS:
        raise invalid(f"'sourceObjects' must name 1 to {_MOST_COMPONENTS} objects. Got {len(asked)}.")
    call.store.bucket(bucket)
    sources = [_component(call, bucket, one) for one in asked]
    writer = call.store.blobs.writer()
    try:
        for file in [call.store.blobs.path(source.blob).open("rb") for source in sources]:
            await writer.copy(file)
        whole = await writer.finish()
    except BaseException:
        await writer.abandon()
        raise
    blob = Blob(whole.id, whole.size, whole.crc32c, "")  # the service gives composed objects no MD5
    metadata = {"contentType": sources[0].resource["contentType"], **(given.get("destination") or {})}
    metadata = described(call, {**metadata, "name": name}, "")
    try:
        with call.transaction() as store:
            new = write_uploaded(store, bucket, name, metadata, blob, Preconditions.of(call))
            new.resource["componentCount"] = sum(source.resource.get("componentCount", 1) for source in sources)
            store.update(new)
            if call.flag("deleteSourceObjects"):
                _delete_sources(store, sources, new)
    except StorageError:
        await call.store.blobs.remove([blob.id])
        raise
    return json_reply(object_resource(call, new))


def _component(call: Call, bucket: str, asked: Resource) -> Generation:
    number = asked.get("generation")
    found = call.store.find(bucket, str(asked.get("name", "")), int(number) if number else None)
    wanted = (asked.get("objectPreconditions") or {}).get("ifGenerationMatch")
    if wanted is not None and int(wanted) != found.generation:
        raise condition_not_met(f"ifGenerationMatch of {found.name!r}", str(wanted), str(found.generation))
    check_key(call, found)
    return found


def _delete_sources(store: Store, sources: list[Generation], new: Generation) -> None:
    bucket = store.bucket(new.bucket)
    for source in sources:
        live = store.live(source.bucket, source.name)
        if live is not None and live.generation == source.generation:
            generations.displace(store, bucket, live, by=None)
