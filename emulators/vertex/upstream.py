"""Connections to a model server: HTTP/1.1, kept alive, no more overhead than that."""

import asyncio
from dataclasses import dataclass, field

import httptools

CONNECT_SECONDS = 2.0


class Unreachable(Exception):
    """No connection could be made, so the request was never sent."""


class Broken(Exception):
    """The connection ended before the whole answer came; whether the request was carried out is unknown."""


@dataclass
class Answer:
    """A whole response."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


class _Reading:
    """Collects what httptools parses."""

    def __init__(self) -> None:
        self.answer = Answer()
        self.complete = False
        self._body: list[bytes] = []

    def on_header(self, name: bytes, value: bytes) -> None:
        self.answer.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_body(self, piece: bytes) -> None:
        self._body.append(piece)

    def on_message_complete(self) -> None:
        self.answer.body = b"".join(self._body)
        self.complete = True


Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Upstream:
    """One server's address and its idle connections."""

    def __init__(self, port: int, host: str = "127.0.0.1") -> None:
        self._host = host
        self._port = port
        self._idle: list[Connection] = []

    async def request(
        self, method: str, path: str, body: bytes = b"", *, headers: dict[str, str] | None = None, seconds: float = 60.0
    ) -> Answer:
        """Send one request and read its whole answer.

        Raises:
            Unreachable: no connection within two seconds.
            Broken: the server went away in the middle.
            TimeoutError: no whole answer within `seconds`.
        """
        given = {"host": f"{self._host}:{self._port}", "content-length": str(len(body)), **(headers or {})}
        head = "".join(f"{name}: {value}\r\n" for name, value in given.items())
        message = f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode("latin-1") + body
        async with asyncio.timeout(seconds):
            while self._idle:
                # An idle connection may have been closed by the server meanwhile; then nothing of an answer comes.
                answer = await self._exchange(self._idle.pop(), message)
                if answer is not None:
                    return answer
            answer = await self._exchange(await self._connect(), message)
        if answer is None:
            raise Broken(f"{self._host}:{self._port} closed the connection without an answer.")
        return answer

    async def _connect(self) -> Connection:
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                return await asyncio.open_connection(self._host, self._port)
        except (OSError, TimeoutError) as error:
            raise Unreachable(f"{self._host}:{self._port}: {error}") from error

    async def _exchange(self, connection: Connection, message: bytes) -> Answer | None:
        """The answer, or None when the connection ended before its first byte."""
        reader, writer = connection
        reading = _Reading()
        parser = httptools.HttpResponseParser(reading)
        begun = reusable = False
        try:
            writer.write(message)
            while not reading.complete:
                data = await reader.read(262_144)
                if not data:
                    break
                begun = True
                parser.feed_data(data)
            reusable = reading.complete and parser.should_keep_alive()
        except httptools.HttpParserError as error:
            raise Broken(f"{self._host}:{self._port} did not answer in HTTP: {error}") from error
        except OSError:
            pass
        finally:
            if reusable:
                self._idle.append(connection)
            else:
                writer.transport.abort()
        if not begun:
            return None
        if not reading.complete:
            if "content-length" in reading.answer.headers or "transfer-encoding" in reading.answer.headers:
                raise Broken(f"{self._host}:{self._port} ended in the middle of an answer.")
            reading.on_message_complete()
        reading.answer.status = parser.get_status_code()
        return reading.answer

    def close(self) -> None:
        """Close the idle connections."""
        for _, writer in self._idle:
            writer.transport.abort()
        self._idle.clear()
