"""How an emulator is run: its options, its socket, and the one line that says it is ready."""

import json
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp


@dataclass(frozen=True)
class Options:
    """What the command line says of one emulator. `data` None keeps everything in memory; port 0 takes a free one."""

    name: str
    host: str = "127.0.0.1"
    port: int = 0
    data: Path | None = None

    def announce(self, url: str, control: str, variables: Mapping[str, str] | None = None) -> None:
        """Tell the parent, as one JSON line on standard output, that the emulator now answers.

        `variables` are those of the environment that its clients need beside the one that holds its address.
        """
        said = {"emulator": self.name, "url": url, "control": control, "variables": dict(variables or {})}
        print(json.dumps(said), flush=True)


def listen(host: str, port: int) -> socket.socket:
    """A bound TCP socket.

    Raises:
        SystemExit: the port is taken; the message names it.
    """
    # asyncio turns Nagle's algorithm off only where the protocol is named; with it, a small answer may take 40 ms.
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except OSError as error:
        sys.exit(f"Port {port} on {host} cannot be taken ({error.strerror}). Give --port another, or 0 for a free one.")
    return bound


async def serve_asgi(app: ASGIApp, options: Options, variables: Mapping[str, str] | None = None) -> None:
    """Serve `app` until the process is told to stop; announce, with `variables`, once the socket accepts."""
    bound = listen(options.host, options.port)
    url = f"http://{options.host}:{bound.getsockname()[1]}"
    server = AnnouncingServer(uvicorn.Config(app, log_level="warning", access_log=False, timeout_graceful_shutdown=2))
    server.on_started = lambda: options.announce(url=url, control=url, variables=variables)
    await server.serve(sockets=[bound])


class AnnouncingServer(uvicorn.Server):
    """A uvicorn server that calls back once it listens."""

    on_started = staticmethod(lambda: None)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then tell."""
        await super().startup(sockets=sockets)
        self.on_started()
