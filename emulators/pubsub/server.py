"""The wire: gRPC on the given port; the control plane, public keys and REST on a second, free one."""

import socket
import sqlite3
import sys
from pathlib import Path
from typing import Any

import grpc
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from emulators.control import control_routes
from emulators.hosting import AnnouncingServer, Options, listen
from emulators.pubsub.durable import Memory, Sqlite
from emulators.pubsub.lifetime import Lifetime
from emulators.pubsub.rest import rest_routes
from emulators.pubsub.rpc import Calls, Handlers

_GRPC_OPTIONS = (
    ("grpc.max_receive_message_length", 64 * 1024 * 1024),  # so that our own check of 10 MB can answer
    ("grpc.max_send_message_length", -1),
    ("grpc.so_reuseport", 0),
    # The client pings every 30 s; gRPC's default is to answer pings without calls with GOAWAY.
    # https://grpc.github.io/grpc/core/md_doc_keepalive.html
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.min_ping_interval_without_data_ms", 1_000),
    ("grpc.http2.min_recv_ping_interval_without_data_ms", 1_000),
    ("grpc.http2.max_ping_strikes", 0),
)


async def serve(options: Options) -> None:
    """Serve until the process is told to stop; announce once both ports answer.

    Raises:
        SystemExit: the port is taken, or the data folder in use; the message names it.
    """
    if options.port:
        listen(options.host, options.port).close()  # says what is wrong with the port more clearly than gRPC
    lifetime = Lifetime(Memory() if options.data is None else _opened(options.data))
    calls = Calls(lifetime.pubsub)
    server = grpc.aio.server(options=_GRPC_OPTIONS)
    server.add_generic_rpc_handlers((Handlers(calls),))
    port = server.add_insecure_port(f"{options.host}:{options.port}")
    control = listen(options.host, 0)
    control_url = f"http://{options.host}:{control.getsockname()[1]}"
    lifetime.start()
    await server.start()
    config = uvicorn.Config(
        control_app(lifetime, calls), log_level="warning", access_log=False, timeout_graceful_shutdown=2
    )
    web = _ControlServer(config, server, lifetime)
    web.on_started = lambda: options.announce(url=f"{options.host}:{port}", control=control_url)
    await web.serve(sockets=[control])


def _opened(folder: Path) -> Sqlite:
    try:
        return Sqlite(folder)
    except sqlite3.OperationalError as error:
        sys.exit(f"The data folder {folder} cannot be used ({error}). Is another Pub/Sub emulator running over it?")


class _ControlServer(AnnouncingServer):
    """Ends gRPC and the store with itself: uvicorn raises the signal that ended it again, so nothing runs after it."""

    def __init__(self, config: uvicorn.Config, server: Any, lifetime: Lifetime) -> None:
        super().__init__(config)
        self._grpc = server
        self._lifetime = lifetime

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Hang up on every call, commit what is queued, and stop."""
        await self._grpc.stop(grace=0.2)
        await self._lifetime.close()
        await super().shutdown(sockets=sockets)


def control_app(lifetime: Lifetime, calls: Calls) -> Starlette:
    """What answers HTTP."""

    async def key_set(_: Request) -> JSONResponse:
        return JSONResponse(lifetime.pubsub.signer.key_set())

    async def certificates(_: Request) -> JSONResponse:
        return JSONResponse(lifetime.pubsub.signer.certificates)

    return Starlette(
        routes=[
            *control_routes(lifetime),
            Route("/oauth2/v3/certs", key_set),
            Route("/oauth2/v1/certs", certificates),
            *rest_routes(calls),
        ]
    )
