"""HTTP/1.1 to an instance: keep-alive connections, bodies streamed both ways, as little overhead as can be."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass

import httptools

Headers = Iterable[tuple[bytes, bytes]]

_BUFFERED_BYTES = 1 << 18  # above this the instance is asked to wait until the caller has read


@dataclass(frozen=True)
class Head:
    """The beginning of a response."""

    status: int
    headers: list[tuple[bytes, bytes]]


class Connection(asyncio.Protocol):
    """One connection, for one exchange at a time: `send` the request, read `head`, then `chunks`."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._writable = asyncio.Event()
        self._lost = False
        self._begin(bodiless=False)

    def _begin(self, *, bodiless: bool) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._bodiless = bodiless
        self._headers: list[tuple[bytes, bytes]] = []
        self._head: asyncio.Future[Head] = self._loop.create_future()
        self._chunks: deque[bytes] = deque()
        self._buffered = 0
        self._complete = False
        self._news = asyncio.Event()

    @property
    def reusable(self) -> bool:
        """Whether the last exchange ended in a way that lets another follow."""
        return self._complete and not self._lost and not self._bodiless and self._parser.should_keep_alive()

    def start(self, method: bytes, target: bytes, headers: Headers) -> None:
        """Begin an exchange with the request's line and headers."""
        self._begin(bodiless=method == b"HEAD")
        lines = [b"%b %b HTTP/1.1\r\n" % (method, target), *(b"%b: %b\r\n" % pair for pair in headers), b"\r\n"]
        self._write(b"".join(lines))

    async def send(self, data: bytes) -> None:
        """Send a piece of the request's body; waits while the instance does not read."""
        self._write(data)
        await self._writable.wait()

    async def head(self) -> Head:
        """The response's status and headers. Raises ConnectionError when the connection ends before."""
        return await self._head

    async def chunks(self) -> AsyncIterator[bytes]:
        """The response's body as it arrives. Raises ConnectionError when the connection ends before it is whole."""
        while True:
            while self._chunks:
                chunk = self._chunks.popleft()
                self._buffered -= len(chunk)
                yield chunk
            if self._complete:
                return
            if self._lost:
                raise ConnectionResetError("The instance closed the connection in the middle of its response.")
            self._news.clear()
            if self._transport is not None:
                self._transport.resume_reading()
            await self._news.wait()

    def close(self) -> None:
        """Close the connection, at once."""
        if self._transport is not None:
            self._transport.abort()

    def _write(self, data: bytes) -> None:
        if self._transport is None or self._lost or self._transport.is_closing():
            raise ConnectionResetError("The connection to the instance is closed.")
        self._transport.write(data)

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember the transport."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._writable.set()

    def data_received(self, data: bytes) -> None:
        """Parse what came."""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self.close()
        if self._buffered > _BUFFERED_BYTES and self._transport is not None:
            self._transport.pause_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail what still waits for the response."""
        del exc
        self._lost = True
        self._writable.set()
        self._news.set()
        if not self._head.done():
            self._head.set_exception(ConnectionResetError("The instance closed the connection without an answer."))
            self._head.exception()  # it may be that nobody waits

    def pause_writing(self) -> None:
        """Let `send` wait."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """Let `send` go on."""
        self._writable.set()

    # What httptools calls.

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep one header."""
        self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        """Publish the head; an interim response (1xx) is not it."""
        status = self._parser.get_status_code()
        headers, self._headers = self._headers, []
        if status >= 200 and not self._head.done():
            self._head.set_result(Head(status, headers))
            if self._bodiless:
                self._complete = True
                self._news.set()

    def on_body(self, body: bytes) -> None:
        """Keep one piece of the body."""
        self._chunks.append(body)
        self._buffered += len(body)
        self._news.set()

    def on_message_complete(self) -> None:
        """The response is whole."""
        if self._head.done():
            self._complete = True
            self._news.set()


class Upstream:
    """The connections to one instance."""

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port
        self._idle: list[Connection] = []
        self._all: set[Connection] = set()

    async def take(self) -> Connection:
        """A connection that is free, or a new one."""
        while self._idle:
            connection = self._idle.pop()
            if connection.reusable:
                return connection
            self._all.discard(connection)
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(Connection, self._host, self._port)
        self._all.add(connection)
        return connection

    def give_back(self, connection: Connection) -> None:
        """Keep the connection for the next exchange, or close it when that cannot be."""
        if connection.reusable:
            self._idle.append(connection)
        else:
            connection.close()
            self._all.discard(connection)

    def close(self) -> None:
        """Close all of them; who still waits for a response gets a ConnectionError."""
        for connection in self._all:
            connection.close()
        self._all.clear()
        self._idle.clear()
