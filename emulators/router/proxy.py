"""HTTP functions, reached through the router below their path; everything is passed on as it comes."""

import asyncio
from typing import Any

from starlette.types import Receive, Scope, Send

from emulators.connection import cut
from emulators.router.errors import NoAnswer
from emulators.router.hosts import FunctionHost
from emulators.router.instance import Instance
from emulators.router.upstream import Connection

PATIENCE_SECONDS = 10  # how long a request waits for an instance before it gets 429
_HOP_BY_HOP = {b"connection", b"keep-alive", b"proxy-connection", b"te", b"trailer", b"upgrade", b"expect"}
_SAID = {429: b"Rate exceeded.", 503: b"Service Unavailable", 504: b"upstream request timeout"}


class _CallerGone(Exception):
    """The caller closed the connection before its request was whole."""


async def proxy(host: FunctionHost, scope: Scope, receive: Receive, send: Send) -> None:
    """Pass one request to the function and its response back, both as streams."""
    begun = False

    async def noting(message: Any) -> None:
        nonlocal begun
        begun = True
        await send(message)

    try:
        async with host.slot(PATIENCE_SECONDS) as instance:
            await _exchange(instance, scope, receive, noting, host)
    except _CallerGone:
        return
    except NoAnswer as error:
        if begun:  # too late for a status
            await cut(send)
        else:
            await _answer(send, error.status)


async def _exchange(instance: Instance, scope: Scope, receive: Receive, send: Send, host: FunctionHost) -> None:
    connection = await instance.upstream.take()
    try:
        await _pass_request(connection, scope, receive)
        head = await connection.head()
        headers = [pair for pair in head.headers if pair[0].lower() not in _HOP_BY_HOP | {b"transfer-encoding"}]
        await send({"type": "http.response.start", "status": head.status, "headers": headers})
        async for chunk in connection.chunks():
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})
    finally:
        instance.upstream.give_back(connection)
    if head.status >= 500:
        host.counts.failed(head.status, f"{scope['method']} {scope['path']}")


async def _pass_request(connection: Connection, scope: Scope, receive: Receive) -> None:
    message = await receive()
    headers = [pair for pair in scope["headers"] if pair[0] not in _HOP_BY_HOP]
    names = {name for name, _ in headers}
    chunked = b"transfer-encoding" in names and b"content-length" not in names
    client = scope["client"][0] if scope.get("client") else "127.0.0.1"
    headers += [(b"x-forwarded-for", client.encode()), (b"x-forwarded-proto", b"http")]
    query = scope["query_string"]
    target = scope["raw_path"] + (b"?" + query if query else b"")
    connection.start(scope["method"].encode(), target, headers)
    try:
        while True:
            if message["type"] == "http.disconnect":
                raise _CallerGone
            data = message.get("body", b"")
            if data:
                await connection.send(b"%x\r\n%b\r\n" % (len(data), data) if chunked else data)
            if not message.get("more_body", False):
                break
            message = await receive()
        if chunked:
            await connection.send(b"0\r\n\r\n")
    except ConnectionResetError:
        await asyncio.sleep(0)  # the function may have answered before it read everything; then that is the answer


async def _answer(send: Send, status: int) -> None:
    body = _SAID[status]
    headers = [(b"content-type", b"text/plain"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})
