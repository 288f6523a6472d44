"""The wire: REST and JSON, at `/v1`, `/v1beta1` and, for operations, `/ui`."""

import asyncio
import contextlib
import os
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from emulators.clock import Clock
from emulators.connection import cut
from emulators.control import PREFIX, control_routes
from emulators.faults import Fault, Faults
from emulators.hosting import Options, serve_asgi
from emulators.vertex.batch import BatchPredictionWork
from emulators.vertex.calls import Call, Handler
from emulators.vertex.custom_jobs import CustomJobWork
from emulators.vertex.endpoints import Endpoints
from emulators.vertex.errors import ApiError, Unimplemented
from emulators.vertex.evaluations import Evaluations
from emulators.vertex.jobs import Jobs, Work
from emulators.vertex.models import Models
from emulators.vertex.names import Target
from emulators.vertex.operations import Operations
from emulators.vertex.predictions import Predictions
from emulators.vertex.serving import Serving
from emulators.vertex.state import Store
from emulators.vertex.training_pipelines import TrainingPipelineWork


class VertexEmulator:
    """Everything behind the wire, and what the control plane may do with it."""

    name = "vertex"

    def __init__(self, data: Path | None) -> None:
        self.clock = Clock()
        self.faults = Faults()
        self._scratch = Path(tempfile.mkdtemp(prefix="dropforge-vertex-")) if data is None else None
        self._store = Store(data)
        self._operations = Operations(self._store, self.clock)
        self._serving = Serving((data or self._scratch or Path()) / "logs")
        models = Models(self._store, self._operations)
        self._endpoints = Endpoints(self._store, self._operations, models, self._serving)
        custom_jobs = self._jobs(CustomJobWork(self.clock, self._serving.logs))
        pipelines = self._jobs(TrainingPipelineWork(custom_jobs, models))
        batches = self._jobs(BatchPredictionWork(models, self._serving, self._operations))
        self._all_jobs = (pipelines, custom_jobs, batches)
        evaluations = Evaluations(self._store, self._operations, models)
        predictions = Predictions(self._serving)
        topics = (self._operations, models, evaluations, self._endpoints, predictions, *self._all_jobs)
        self.handlers: dict[str, Handler] = {name: call for topic in topics for name, call in topic.handlers().items()}

    def _jobs(self, work: Work) -> Jobs:
        return Jobs(self._store, self._operations, work)

    def start(self) -> None:
        """Carry on where the last run ended."""
        self._endpoints.restore()
        self._operations.resume()
        for jobs in self._all_jobs:
            jobs.resume()

    async def close(self) -> None:
        """Stop all processes; what is stored stays."""
        await self._stop_work()
        self._store.close()
        if self._scratch is not None:
            shutil.rmtree(self._scratch, ignore_errors=True)

    async def health(self) -> dict[str, Any]:
        """Counts, the folder of logs, and every process."""
        counts = {kind: self._store.count(kind) for kind in ("model", "endpoint", "operation", "customJobs")}
        return {"counts": counts, "logs": str(self._serving.logs), "processes": self._serving.processes()}

    async def reset(self) -> None:
        """Stop all processes and forget everything stored."""
        await self._stop_work()
        self._store.clear()

    async def _stop_work(self) -> None:
        await self._operations.stop()
        for jobs in self._all_jobs:
            await jobs.stop()
        await self._serving.stop()

    async def seed(self, data: dict[str, Any]) -> None:
        """Make calls: `{"calls": [{"method": "POST", "path": "/v1/projects/p/...", "body": {...}}, ...]}`.

        Raises:
            ValueError: a call failed.
        """
        for given in data["calls"]:
            target = urlsplit(given["path"])
            raw = JSONResponse(given.get("body", {})).body
            try:
                await self.answer(given["method"], target.path, dict(parse_qsl(target.query)), bytes(raw), {})
            except ApiError as error:
                raise ValueError(f"{given['method']} {given['path']}: {error.message}") from error

    async def tick(self) -> None:
        """Nothing here waits for the clock."""

    async def answer(
        self, method: str, path: str, query: dict[str, str], raw: bytes, headers: dict[str, str]
    ) -> Response:
        """The answer to one call.

        Raises:
            ApiError: the caller did something wrong, or nothing here does what it asks.
        """
        target = Target.of(method, path)
        handler = self.handlers.get(target.method)
        if handler is None:
            raise Unimplemented(f"{target.method} is not implemented by this emulator.")
        answered = await handler(Call(target, query, raw, headers))
        return answered if isinstance(answered, Response) else JSONResponse(answered)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or let it suffer its fault."""
        request = Request(scope, receive)
        raw = await request.body()
        fault: Fault | None = None
        try:
            fault = self.faults.take(Target.of(request.method, request.url.path).method)
            if fault is not None:
                await _before(fault)
            query, headers = dict(request.query_params), dict(request.headers)
            response = await self.answer(request.method, request.url.path, query, raw, headers)
        except ApiError as error:
            response = JSONResponse(error.body(), status_code=error.status)
        if fault is not None and fault.action == "crash_after":
            os.kill(os.getpid(), signal.SIGKILL)
        await (cut(send) if fault is not None and fault.action == "lose_answer" else response(scope, receive, send))


async def _before(fault: Fault) -> None:
    """What a fault does before the work.

    Raises:
        ApiError: the fault says so.
    """
    if fault.action == "error":
        raise ApiError.of_status(fault.status, f"Ordered by fault {fault.id}.")
    if fault.action == "crash_before":
        os.kill(os.getpid(), signal.SIGKILL)
    if fault.action == "delay":
        await asyncio.sleep(fault.delay_seconds)


async def serve(options: Options) -> None:
    """Run until told to stop."""
    emulator = VertexEmulator(options.data)

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        emulator.start()
        yield
        await emulator.close()

    control = Starlette(routes=[*control_routes(emulator)], lifespan=lifespan)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        own = scope["type"] != "http" or scope["path"].startswith(PREFIX)
        await (control if own else emulator)(scope, receive, send)

    await serve_asgi(app, options)
