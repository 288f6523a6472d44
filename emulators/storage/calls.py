"""One request and its answer, free of any web framework."""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

import orjson
from starlette.types import Receive

from emulators.faults import Fault, die
from emulators.storage.errors import ClientGone, invalid
from emulators.storage.state import Store

JSON_LIMIT = 32 * 1024 * 1024

Resource = dict[str, Any]


@dataclass
class Reply:
    """An answer: `body` is whole, or a stream; of a stream `length` says how many bytes, when that is known."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    stream: AsyncIterator[bytes] | None = None
    length: int | None = None


def json_reply(resource: Resource, status: int = 200) -> Reply:
    """A resource as the JSON API sends it."""
    headers = {"content-type": "application/json; charset=UTF-8"}
    if isinstance(resource.get("etag"), str):
        headers["etag"] = resource["etag"]
    return Reply(status, orjson.dumps(resource), headers)


NO_CONTENT = Reply(204)


@dataclass
class Call:
    """One request: path parameters decoded, query and headers as text, the body as a stream."""

    store: Store
    resumable: "ResumableUploads"
    verb: str
    base_url: str
    headers: dict[str, str]
    query: dict[str, list[str]]
    receive: Receive
    path: dict[str, str] = field(default_factory=dict)
    operation: str = ""
    fault: Fault | None = None
    is_xml: bool = False
    _json: Resource | None = None

    def one(self, name: str, default: str = "") -> str:
        """The last value of a query parameter."""
        return self.query.get(name, [default])[-1]

    def flag(self, name: str) -> bool:
        """A true/false query parameter; absent is false.

        Raises:
            StorageError: 400, any other word.
        """
        word = self.one(name, "false").lower()
        if word not in ("true", "false"):
            raise invalid(f"The query parameter '{name}' must be true or false. Got {word!r}.")
        return word == "true"

    def number(self, name: str, prefix: str = "") -> int | None:
        """An integer query parameter, or None when it is absent.

        Raises:
            StorageError: 400, it is no integer.
        """
        text = self.one(name)
        if not text:
            return None
        try:
            return int(text)
        except ValueError:
            raise invalid(f"The query parameter '{prefix}{name}' must be an integer. Got {text!r}.") from None

    async def body(self) -> AsyncIterator[bytes]:
        """The body in the chunks in which it arrives.

        Raises:
            ClientGone: the connection closed before the end.
        """
        breaks = self.fault is not None and self.fault.action == "break_stream" and self.verb != "GET"
        more = True
        while more:
            message = await self.receive()
            if message["type"] == "http.disconnect":
                raise ClientGone
            more = message.get("more_body", False)
            chunk: bytes = message.get("body", b"")
            if breaks:
                yield chunk[: len(chunk) // 2]
                raise ClientGone
            if chunk:
                yield chunk

    async def whole_body(self, limit: int = JSON_LIMIT) -> bytes:
        """The body as one piece.

        Raises:
            StorageError: 400, longer than `limit` bytes.
        """
        parts: list[bytes] = []
        size = 0
        async for chunk in self.body():
            parts.append(chunk)
            size += len(chunk)
            if size > limit:
                raise invalid(f"The request body must be at most {limit} bytes. Got more.")
        return b"".join(parts)

    async def json(self) -> Resource:
        """The body as a JSON object; an empty body is an empty object. May be asked for more than once."""
        if self._json is None:
            self._json = parse_json(await self.whole_body())
        return self._json

    @contextmanager
    def transaction(self) -> Iterator[Store]:
        """One atomic change of the store, suffering the crash that a fault may have ordered for it."""
        action = self.fault.action if self.fault else ""
        with self.store.transaction():
            yield self.store
            if action == "crash_before":
                die()
        if action == "crash_after":
            die()


class ResumableUploads(Protocol):
    """The uploads under way; `emulators.storage.resumable` has them, and stands above the calls that it answers."""

    async def begin(self, call: Call) -> Reply:
        """Start an upload by the JSON API."""

    def record(self, call: Call, name: str, given: Resource) -> str:
        """Store a new upload; return its id."""

    async def proceed(self, call: Call) -> Reply:
        """Take a chunk, or say how far it came."""

    async def cancel(self, call: Call) -> Reply:
        """Give it up."""


def parse_json(data: bytes) -> Resource:
    """A JSON object from bytes.

    Raises:
        StorageError: 400, not JSON, or not an object.
    """
    if not data.strip():
        return {}
    try:
        parsed = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise invalid(f"The request body must be JSON. {error}.") from None
    if not isinstance(parsed, dict):
        raise invalid(f"The request body must be a JSON object. Got {type(parsed).__name__}.")
    return parsed
