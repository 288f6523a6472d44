"""storage.objects.list: prefix, delimiter, glob, offsets, versions, pages."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from typing import Any

import orjson

from emulators.storage.calls import Call, Reply, json_reply
from emulators.storage.errors import invalid, not_implemented
from emulators.storage.glob import compiled
from emulators.storage.presentation import object_resource
from emulators.storage.state import Generation

Resource = dict[str, Any]

_CHUNKS = (20, 1000)  # rows read at once: the first, and what it doubles up to
_LAST = "\U0010ffff"


@dataclass
class Page:
    """What one answer holds, and the (name, generation) from which the next goes on."""

    items: list[Generation] = field(default_factory=list)
    prefixes: list[str] = field(default_factory=list)
    next: tuple[str, int] | None = None


async def list_objects(call: Call) -> Reply:
    """storage.objects.list."""
    call.store.bucket(call.path["bucket"])
    if call.one("filter"):
        raise not_implemented("the 'filter' of storage.objects.list", "object contexts are kept, and not searched.")
    found = page(call)
    answer: Resource = {"kind": "storage#objects"}
    if found.items:
        answer["items"] = [object_resource(call, item) for item in found.items]
    if found.prefixes:
        answer["prefixes"] = found.prefixes
    if found.next is not None:
        answer["nextPageToken"] = token(found.next)
    return json_reply(answer)


def token(place: tuple[str, int]) -> str:
    """What `pageToken` has to be to go on from a place."""
    return urlsafe_b64encode(orjson.dumps(place)).decode()


def page(call: Call) -> Page:
    """The objects and prefixes that a call asks for by its query."""
    prefix, delimiter = call.one("prefix"), call.one("delimiter")
    glob = compiled(call.one("matchGlob"))
    most = call.number("maxResults")
    most = min(1000 if most is None or most <= 0 else most, 1000)
    trailing = call.flag("includeTrailingDelimiter")
    where, end = _where(call, prefix)
    place = _start(call, prefix)
    found = Page()
    chunk = _CHUNKS[0] if delimiter else _CHUNKS[1]
    while True:
        rows = call.store.select(
            f"bucket = ? AND {where} AND (name > ? OR (name = ? AND generation >= ?)) AND name < ?",
            *(call.path["bucket"], place[0], place[0], place[1], end),
            limit=chunk,
        )
        jumped = False
        for one in rows:
            if glob is not None and not glob.fullmatch(one.name):
                continue
            full = len(found.items) + len(found.prefixes) >= most
            cut = one.name.find(delimiter, len(prefix)) if delimiter else -1
            if cut >= 0:
                common = one.name[: cut + len(delimiter)]
                is_folder_itself = trailing and one.name == common
                if full:
                    found.next = (one.name, one.generation)
                    return found
                if not found.prefixes or found.prefixes[-1] != common:
                    found.prefixes.append(common)
                if is_folder_itself:
                    found.items.append(one)
                    continue
                place, jumped, chunk = (successor(common), 0), True, _CHUNKS[0]
                break
            if full:
                found.next = (one.name, one.generation)
                return found
            found.items.append(one)
        if not jumped:
            if len(rows) < chunk:
                return found
            chunk = min(chunk * 2, _CHUNKS[1])
            place = (rows[-1].name, rows[-1].generation + 1)


def _where(call: Call, prefix: str) -> tuple[str, str]:
    if call.flag("softDeleted"):
        if call.flag("versions"):
            raise invalid("'softDeleted' and 'versions' cannot both be true.")
        state = "state = 'soft'"
    elif call.flag("versions"):
        state = "state != 'soft'"
    else:
        state = "state = 'live'"
    end = successor(prefix) if prefix else _LAST * 2
    offset = call.one("endOffset")
    return state, min(end, offset) if offset else end


def _start(call: Call, prefix: str) -> tuple[str, int]:
    place = (max(prefix, call.one("startOffset")), 0)
    given = call.one("pageToken")
    if given:
        try:
            name, generation = orjson.loads(urlsafe_b64decode(given))
        except ValueError:
            raise invalid(f"'pageToken' must be a token from an earlier answer. Got {given!r}.") from None
        place = max(place, (str(name), int(generation)))
    return place


def successor(prefix: str) -> str:
    """The first text, by code points and so by UTF-8 bytes, after all that begin with `prefix`."""
    head = prefix.rstrip(_LAST)
    if not head:
        return _LAST * (len(prefix) + 1)
    following = ord(head[-1]) + 1
    if 0xD800 <= following <= 0xDFFF:  # no characters there
        following = 0xE000
    return head[:-1] + chr(following)
