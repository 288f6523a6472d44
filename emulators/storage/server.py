"""The wire of the Cloud Storage emulator: an ASGI application of its own routing, because object names hold `/`."""

import asyncio
from base64 import b64decode
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from starlette.routing import Router
from starlette.types import Receive, Scope, Send

from emulators import control
from emulators.clock import Clock
from emulators.connection import cut
from emulators.faults import CallAndDeliveryFaults, Fault, Faults
from emulators.hosting import Options, serve_asgi
from emulators.storage import batch, buckets, generations, notifications, uploads, xml_api
from emulators.storage.calls import Call, Reply
from emulators.storage.errors import ClientGone, StorageError
from emulators.storage.outbox import OPERATION, Publisher
from emulators.storage.partial import selected
from emulators.storage.preconditions import Preconditions
from emulators.storage.resumable import Resumable
from emulators.storage.routing import Handler, route
from emulators.storage.state import Store

_JSON_PATHS = ("/storage/v1/", "/upload/storage/v1/", "/download/storage/v1/", "/batch")


class Storage:
    """The emulator: its store, its control plane, and its ASGI application."""

    name = "storage"

    def __init__(self, data: Path | None) -> None:
        self.clock = Clock()
        self.faults: Faults = CallAndDeliveryFaults(OPERATION)
        self.store = Store(data, self.clock)
        self.resumable = Resumable(self.store)
        self.publisher = Publisher(self.store, self.faults)
        self._control = Router(routes=control.control_routes(self))

    # Control plane

    async def reset(self) -> None:
        """Forget every bucket and all that is in it."""
        self.store.clear()
        await self.resumable.forget()
        await self._tidy()

    async def seed(self, data: dict[str, Any]) -> None:
        """Create `buckets` (names or resources), `objects` (bucket, name, text or base64) and `notifications`."""
        unknown = set(data) - {"buckets", "objects", "notifications"}
        if unknown:
            raise ValueError(f"A seed may hold buckets, objects and notifications. Got {', '.join(sorted(unknown))}.")
        try:
            for given in data.get("buckets", []):
                with self.store.transaction():
                    buckets.create(self.store, {"name": given} if isinstance(given, str) else given)
            for given in data.get("notifications", []):
                with self.store.transaction():
                    notifications.create(self.store, given["bucket"], given)
            for given in data.get("objects", []):
                await self._seed_object(given)
        except StorageError as error:
            raise ValueError(error.message) from error

    async def _seed_object(self, given: dict[str, Any]) -> None:
        writer = self.store.blobs.writer()
        await writer.write(b64decode(given["base64"]) if "base64" in given else str(given.get("text", "")).encode())
        blob = await writer.finish()
        with self.store.transaction():
            uploads.write_uploaded(self.store, given["bucket"], given["name"], given, blob, Preconditions())
        self.publisher.wake()

    async def health(self) -> dict[str, Any]:
        """Buckets, live objects, and notifications not yet taken by Pub/Sub."""
        return {
            "buckets": self.store.value("SELECT count(*) FROM buckets"),
            "objects": self.store.value("SELECT count(*) FROM objects WHERE state = 'live'"),
            "notifications_waiting": self.publisher.waiting(),
            "notifications_error": self.publisher.last_error,
        }

    async def tick(self) -> None:
        """Soft-deleted generations whose time has come go for good."""
        with self.store.transaction():
            generations.purge(self.store)
        await self._tidy()

    async def _tidy(self) -> None:
        garbage = self.store.garbage()
        if garbage:
            await self.store.blobs.remove(garbage)

    # The wire

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI: lifespan starts and ends the publisher, the rest are requests."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["path"].startswith(control.PREFIX):
            await self._control(scope, receive, send)
        else:
            await self._answer(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        publishing = asyncio.create_task(self.publisher.run())
        await send({"type": "lifespan.startup.complete"})
        await receive()
        publishing.cancel()
        self.store.close()
        await send({"type": "lifespan.shutdown.complete"})

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        call = _call(self, scope, receive)
        try:
            reply = await self._reply(call, scope["raw_path"].decode("ascii"))
        except ClientGone:
            await cut(send)
            return
        if call.verb not in ("GET", "HEAD"):
            await self._tidy()
            self.publisher.wake()
        if call.fault is not None and call.fault.action == "lose_answer":
            await cut(send)
            return
        await _send(reply, call, send)

    async def _reply(self, call: Call, raw_path: str) -> Reply:
        """The answer to a call; refusals in the form of the API that was called."""
        try:
            return await self._handled(call, raw_path)
        except StorageError as error:
            return _refusal(call, error)

    async def _handled(self, call: Call, raw_path: str) -> Reply:
        path = raw_path.partition("?")[0].removeprefix("/resumable")
        if not path.startswith(_JSON_PATHS):
            call.is_xml = True
            call.operation = xml_api.operation(call, path)
            await self._suffer(call)
            return await xml_api.answer(call)
        if path.startswith("/batch"):
            return await batch.answer(call, self._reply)
        upload = path.startswith("/upload/")
        path = path.removeprefix("/upload").removeprefix("/download")
        if upload and call.one("upload_id"):
            call.operation = "storage.objects.insert"
            call.path = {"bucket": path.split("/")[4]}
            handler: Handler = self.resumable.cancel if call.verb == "DELETE" else self.resumable.proceed
        else:
            call.operation, call.path, handler = route(call.verb, path.removeprefix("/storage/v1/"))
        await self._suffer(call)
        reply = await handler(call)
        if call.one("fields") and reply.status == 200 and reply.body:
            reply.body = selected(reply.body, call.one("fields"))
        return reply

    async def _suffer(self, call: Call) -> None:
        """Let an ordered fault act before the work is done."""
        fault = call.fault = self.faults.take(call.operation)
        if fault is None:
            return
        if fault.action == "delay":
            await asyncio.sleep(fault.delay_seconds)
        elif fault.action == "error":
            raise _fault_error(fault)


def _fault_error(fault: Fault) -> StorageError:
    reason = {429: "rateLimitExceeded", 404: "notFound", 412: "conditionNotMet", 403: "forbidden"}
    message = f"Fault {fault.id} was ordered for {fault.operation}."
    return StorageError(fault.status, reason.get(fault.status, "backendError"), message)


def _call(emulator: Storage, scope: Scope, receive: Receive) -> Call:
    headers = {key.decode("latin-1").lower(): value.decode("latin-1") for key, value in scope["headers"]}
    host = headers.get("host", "127.0.0.1")
    query = parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    return Call(
        emulator.store, emulator.resumable, scope["method"], f"{scope['scheme']}://{host}", headers, query, receive
    )


def _refusal(call: Call, error: StorageError) -> Reply:
    if error.status == 304:
        return Reply(304)
    if call.is_xml:
        return Reply(error.status, error.as_xml(), {"content-type": "application/xml; charset=UTF-8"})
    if call.one("alt") == "media":
        return Reply(error.status, error.message.encode(), {"content-type": "text/html; charset=UTF-8"})
    return Reply(error.status, error.as_json(), {"content-type": "application/json; charset=UTF-8"})


async def _send(reply: Reply, call: Call, send: Send) -> None:
    headers = dict(reply.headers)
    if reply.stream is None:
        headers["content-length"] = str(reply.length if reply.length is not None else len(reply.body))
    elif reply.length is not None:
        headers["content-length"] = str(reply.length)
    if call.verb != "HEAD" and reply.status in (204, 304):
        del headers["content-length"]
    raw = [(key.encode("latin-1"), value.encode("utf-8")) for key, value in headers.items()]
    await send({"type": "http.response.start", "status": reply.status, "headers": raw})
    if reply.stream is None and reply.status in (200, 206) and call.verb == "GET" and _breaks(call):
        reply.stream = _as_stream(reply.body)
    if reply.stream is None or call.verb == "HEAD":
        await send({"type": "http.response.body", "body": reply.body})
        return
    breaks = _breaks(call)
    async for block in reply.stream:
        if breaks:
            await send({"type": "http.response.body", "body": block[: len(block) // 2], "more_body": True})
            await asyncio.sleep(0.05)  # lets the first half leave
            await cut(send)
            return
        await send({"type": "http.response.body", "body": block, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


def _breaks(call: Call) -> bool:
    return call.fault is not None and call.fault.action == "break_stream"


async def _as_stream(body: bytes) -> AsyncIterator[bytes]:
    yield body


async def serve(options: Options) -> None:
    """Run the emulator until it is told to stop."""
    await serve_asgi(Storage(options.data), options)
