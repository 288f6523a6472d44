"""TLS for the Storage Read and Write API, whose clients insist on it: decrypted here, and led on to local-bigquery."""

import asyncio
import contextlib
import shutil
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from emulators.scratch import scratch_folder
from emulators.tunnel import Pair, join


class SecurePort:
    """A port beside the plain one that stays the same when local-bigquery starts anew, which `behind` then names."""

    def __init__(self, behind: Callable[[], str]) -> None:
        self._behind = behind  # host:port
        self._folder: Path | None = None
        self._server: asyncio.Server | None = None
        self.address = self.authority = ""

    async def start(self, host: str, port: int, environment: Mapping[str, str]) -> None:
        """Listen on `port`, or a free one where it is taken. The certificate holds for whatever name is asked for."""
        from emulators.authority import Authority  # costs 0.5 s, while local-bigquery starts as well

        self._folder = scratch_folder("bigquery")
        authority = Authority.of(environment, self._folder)
        context = authority.context_for_any_name("h2")
        try:
            self._server = await asyncio.start_server(self._arrived, host, port, ssl=context)
        except OSError as error:
            print(f"Port {port} on {host} is taken ({error.strerror}); TLS gets another.", file=sys.stderr, flush=True)
            self._server = await asyncio.start_server(self._arrived, host, 0, ssl=context)
        self.authority = str(authority.certificate_file)
        self.address = f"{host}:{self._server.sockets[0].getsockname()[1]}"

    def close(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.close()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    async def _arrived(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        caller: Pair = reader, writer
        host, _, port = self._behind().rpartition(":")
        try:
            onward = await asyncio.open_connection(host, int(port))
        except OSError:  # local-bigquery starts anew; gRPC clients take a closed connection for UNAVAILABLE, and retry
            writer.close()
            return
        with contextlib.suppress(OSError):
            await join(caller, onward)
