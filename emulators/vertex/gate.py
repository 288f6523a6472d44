"""One port for every client that insists on TLS: a proxy that tunnels (`CONNECT`), and TLS spoken to it directly.

Whoever offers HTTP/2 in the TLS handshake is a gRPC client and is led to the gRPC server; everybody else to the REST
API. Host names do not matter: code that sets no endpoint at all, with HTTPS_PROXY on this port, ends up here.
"""

import asyncio
import contextlib
import ssl
from pathlib import Path

from emulators.tunnel import join

_TLS_HANDSHAKE = b"\x16"
_HTTP2 = b"\x02h2"
_LARGEST_HELLO = 16_384 + 5


class Gate:
    """The listening port, and the two ways behind it."""

    def __init__(self, rest_port: int, grpc_socket: Path, folder: Path, context: ssl.SSLContext) -> None:
        self._rest_port = rest_port
        self._grpc_socket = grpc_socket
        self._rest_socket = folder / "rest.sock"
        self._context = context
        self._servers: list[asyncio.Server] = []
        self.port = 0

    async def start(self, host: str) -> None:
        """Listen on a free port."""
        inner = await asyncio.start_unix_server(self._decrypted, self._rest_socket, ssl=self._context)
        outer = await asyncio.start_server(self._arrived, host, 0)
        self._servers = [inner, outer]
        self.port = outer.sockets[0].getsockname()[1]

    def close(self) -> None:
        """Stop listening."""
        for server in self._servers:
            server.close()

    async def _arrived(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            first = await reader.readexactly(1)
            if first != _TLS_HANDSHAKE:
                request = first + await reader.readuntil(b"\r\n\r\n")
                if not request.startswith(b"CONNECT "):
                    writer.write(b"HTTP/1.1 405 Method Not Allowed\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
                    await writer.drain()
                    writer.close()
                    return
                writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
                first = await reader.readexactly(1)
            header = first + await reader.readexactly(4)
            length = min(int.from_bytes(header[3:5], "big"), _LARGEST_HELLO)
            hello = header + await reader.readexactly(length)
            behind = self._grpc_socket if _HTTP2 in hello else self._rest_socket
            onward = await asyncio.open_unix_connection(behind)
            onward[1].write(hello)
            await join((reader, writer), onward)

    async def _decrypted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            await join((reader, writer), await asyncio.open_connection("127.0.0.1", self._rest_port))
