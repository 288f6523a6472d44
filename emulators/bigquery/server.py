"""The wire: every call goes on to local-bigquery unchanged, except one that must suffer an ordered fault."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from emulators.bigquery.errors import error_response
from emulators.bigquery.methods import Methods
from emulators.bigquery.secure_port import SecurePort
from emulators.bigquery.state import AdoptedProcess
from emulators.clock import Clock
from emulators.connection import cut
from emulators.control import PREFIX, control_routes
from emulators.faults import CallFaults, Faults, die
from emulators.hosting import Options, serve_asgi

DISCOVERY = "/discovery/v1/apis/bigquery/v2/rest"
_HOP_BY_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade", "date", "server"})
_INSERT = "bigquery.jobs.insert"
# What a client of the Storage Read and Write API is told: the first by the caller, the second is gRPC's own.
STORAGE_API_VARIABLE = "DROPFORGE_BIGQUERY_STORAGE_API"
TRUST_VARIABLE = "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH"


class MachineClock(Clock):
    """The adopted emulator reads the machine's clock; it cannot be advanced."""

    def advance(self, seconds: float) -> None:
        """Refuse.

        Raises:
            ValueError: always; local-bigquery has no clock of its own.
        """
        raise ValueError(f"The BigQuery emulator lives in the machine's time and cannot advance by {seconds} s.")


class BigQueryEmulator:
    """The adopted process, the connection to it, and what the control plane may do with both."""

    name = "bigquery"

    def __init__(self, process: AdoptedProcess) -> None:
        self.clock: Clock = MachineClock()
        self.faults: Faults = CallFaults()
        self._process = process
        self._available = asyncio.Lock()  # held while the process is replaced
        # Held while a job is made. Of several inserts of one job id at once, local-bigquery 0.4.0 makes one job and
        # answers the others with 400 ("Duplicate key") or 500; one after the other, they are 409 as in the service.
        self._inserting = asyncio.Lock()
        self._client = httpx.AsyncClient()
        self._methods = Methods(())
        self._watch: asyncio.Task[None] | None = None
        self._secure = SecurePort(lambda: process.storage_api)

    async def start(self) -> None:
        """Start the adopted process and learn the names of its calls."""
        await self._process.start()
        transport = httpx.AsyncHTTPTransport(uds=self._process.socket, limits=httpx.Limits(max_connections=None))
        self._client = httpx.AsyncClient(transport=transport, base_url="http://bigquery", timeout=None)
        self._methods = Methods.of((await self._client.get(DISCOVERY)).json())
        self._watch = asyncio.create_task(self._end_with_process())

    async def secure(self, options: Options) -> dict[str, str]:
        """Open the TLS port, next to the port asked for; what its clients must be told, by environment variable."""
        await self._secure.start(options.host, options.port and options.port + 1, os.environ)
        return {STORAGE_API_VARIABLE: self._secure.address, TRUST_VARIABLE: self._secure.authority}

    async def _end_with_process(self) -> None:
        status = await self._process.ended()
        print(f"local-bigquery ended with status {status}, and so does this emulator.", file=sys.stderr, flush=True)
        os.kill(os.getpid(), signal.SIGTERM)

    async def _unwatched(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
        await self._client.aclose()

    async def close(self) -> None:
        """End the adopted process and remove what was temporary."""
        self._secure.close()
        await self._unwatched()
        await self._process.close()

    async def health(self) -> dict[str, Any]:
        """Where the Storage Read and Write API listens, without and with TLS, and the adopted process's id."""
        return {
            "storage_api": self._process.storage_api,
            "tls": {"address": self._secure.address, "authority": self._secure.authority},
            "pid": self._process.pid,
            "clock": "machine time, fixed",
        }

    async def reset(self) -> None:
        """Restart over an empty folder; about two seconds, during which calls wait."""
        async with self._available:
            await self._unwatched()
            await self._process.stop()
            await self._process.clear()
            await self.start()

    async def seed(self, data: dict[str, Any]) -> None:
        """Run `{"project": "p", "sql": ["CREATE SCHEMA d", ...]}`, statement by statement.

        Raises:
            ValueError: a statement failed; the message is BigQuery's.
        """
        for statement in data["sql"]:
            body = {"query": statement, "useLegacySql": False}
            answer = await self._client.post(f"/bigquery/v2/projects/{data['project']}/queries", json=body)
            if answer.is_error:
                raise ValueError(f"{statement!r}: {answer.json()['error']['message']}")

    async def tick(self) -> None:
        """Nothing follows the clock here."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand one call on, or let it suffer its fault."""
        request = Request(scope, receive)
        operation = self._methods.name(request.method, request.url.path)
        async with self._inserting if operation == _INSERT else contextlib.nullcontext():
            await self._answer(operation, request, scope, receive, send)

    async def _answer(self, operation: str, request: Request, scope: Scope, receive: Receive, send: Send) -> None:
        fault = self.faults.take(operation)
        if fault is None:
            await (await self._handed_on(request))(scope, receive, send)
            return
        if fault.action == "error":
            await error_response(fault.status, f"Ordered by fault {fault.id}.")(scope, receive, send)
            return
        if fault.action == "crash_before":
            die()
        await asyncio.sleep(fault.delay_seconds if fault.action == "delay" else 0)
        answer = await self._handed_on(request)
        if fault.action == "crash_after":
            die()
        await (cut(send) if fault.action == "lose_answer" else answer(scope, receive, send))

    async def _handed_on(self, request: Request) -> Response:
        """The adopted emulator's answer, its body still to be streamed; its work is done by then."""
        async with self._available:
            client = self._client
        headers = [(name, value) for name, value in request.headers.items() if name not in _HOP_BY_HOP]
        has_body = "content-length" in request.headers or "transfer-encoding" in request.headers
        url = httpx.URL(path=request.url.path, query=request.url.query.encode())
        onward = client.build_request(
            request.method, url, headers=headers, content=request.stream() if has_body else None
        )
        answer = await client.send(onward, stream=True)
        kept = {name: value for name, value in answer.headers.items() if name not in _HOP_BY_HOP}
        return StreamingResponse(_body(answer), answer.status_code, kept)


async def _body(answer: httpx.Response) -> AsyncIterator[bytes]:
    try:
        async for piece in answer.aiter_raw():
            yield piece
    finally:
        await answer.aclose()


async def serve(options: Options) -> None:
    """Run until told to stop. Clients find it by BIGQUERY_EMULATOR_HOST."""
    emulator = BigQueryEmulator(AdoptedProcess(options.data, options.host))

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        await emulator.close()

    control = Starlette(routes=[*control_routes(emulator)], lifespan=lifespan)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        own = scope["type"] != "http" or scope["path"].startswith(PREFIX)
        await (control if own else emulator)(scope, receive, send)

    _, variables = await asyncio.gather(emulator.start(), emulator.secure(options))
    await serve_asgi(app, options, variables)
