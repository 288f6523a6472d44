"""The wire: REST and JSON, at `/v1`, `/v1beta1` and, for operations, `/ui`."""

import asyncio
import contextlib
import dataclasses
import os
import shutil
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
from emulators.faults import CallFaults, Faults, die
from emulators.hosting import Options, serve_asgi
from emulators.ports import free_port
from emulators.scratch import scratch_folder
from emulators.transitions import Transitions
from emulators.vertex.autoscaling import Autoscaling
from emulators.vertex.batch import BatchPredictionWork
from emulators.vertex.calls import Call, Handler
from emulators.vertex.custom_jobs import CustomJobWork
from emulators.vertex.deployments import Deployments
from emulators.vertex.endpoints import Endpoints
from emulators.vertex.errors import AnswerLost, ApiError, Unimplemented
from emulators.vertex.evaluations import Evaluations
from emulators.vertex.jobs import Jobs, Work
from emulators.vertex.metadata import Metadata
from emulators.vertex.metadata_lineage import MetadataLineage
from emulators.vertex.metadata_upkeep import MetadataUpkeep
from emulators.vertex.models import Models
from emulators.vertex.names import Target
from emulators.vertex.operations import Operations
from emulators.vertex.policies import Policies
from emulators.vertex.predictions import Predictions
from emulators.vertex.quota_control import quota_routes
from emulators.vertex.quotas import Quotas
from emulators.vertex.request_log import RequestLog
from emulators.vertex.serving import Serving
from emulators.vertex.state import Store
from emulators.vertex.training_pipelines import TrainingPipelineWork
from emulators.vertex.versions import Versions

TLS_VARIABLE = "DROPFORGE_VERTEX_TLS"


class VertexEmulator:
    """Everything behind the wire, and what the control plane may do with it."""

    name = "vertex"

    def __init__(self, data: Path | None) -> None:
        self.clock = Clock()
        self.faults: Faults = CallFaults()
        self._scratch = scratch_folder(self.name) if data is None else None
        self._store = Store(data)
        self._operations = Operations(self._store, Transitions(self.faults, self.clock))
        self._serving = Serving((data or self._scratch or Path()) / "logs")
        self._tls: dict[str, str] | None = None
        self._log = RequestLog(self.clock)
        self.quotas = Quotas(self.clock)
        self._autoscaling = Autoscaling(self._serving, self.clock)
        versions = Versions(self._store, self._operations.timestamp)
        endpoints = Endpoints(self._store, self._operations, self._serving)
        self._deployments = Deployments(self._operations, versions, endpoints, self._serving, self.quotas)
        custom_jobs = self._jobs(CustomJobWork(self.clock, self._serving.logs, self.quotas))
        pipelines = self._jobs(TrainingPipelineWork(custom_jobs, versions))
        batches = self._jobs(BatchPredictionWork(versions, self._serving))
        self._all_jobs = (pipelines, custom_jobs, batches)
        metadata = Metadata(self._store, self._operations)
        topics = (
            self._operations,
            Models(self._store, versions, self._operations),
            Evaluations(self._store, self._operations, versions),
            endpoints,
            self._deployments,
            Predictions(self._serving, self._log),
            metadata,
            MetadataLineage(self._store, metadata),
            MetadataUpkeep(self._store, self._operations, metadata),
            Policies(self._store, {"models": versions.version, "endpoints": endpoints.existing}),
            *self._all_jobs,
        )
        self.handlers: dict[str, Handler] = {name: call for topic in topics for name, call in topic.handlers().items()}

    def _jobs(self, work: Work) -> Jobs:
        return Jobs(self._store, self._operations, work)

    def start(self) -> None:
        """Carry on where the last run ended."""
        self._deployments.restore()
        self._operations.resume()
        for jobs in self._all_jobs:
            jobs.resume()
        self._autoscaling.start()

    async def close(self) -> None:
        """Stop all processes; what is stored stays."""
        await self._autoscaling.stop()
        await self._stop_work()
        self._store.close()
        if self._scratch is not None:
            shutil.rmtree(self._scratch, ignore_errors=True)

    async def health(self) -> dict[str, Any]:
        """Counts, the folder of logs, every process, and where TLS is spoken."""
        counts = {kind: self._store.count(kind) for kind in ("model", "endpoint", "operation", "customJobs")}
        processes = self._serving.processes()
        return {"counts": counts, "logs": str(self._serving.logs), "processes": processes, "tls": self._tls}

    async def reset(self) -> None:
        """Stop all processes and forget everything stored."""
        await self._stop_work()
        self._store.clear()
        self.quotas.reset()
        self._autoscaling.reset()

    async def _stop_work(self) -> None:
        await self._operations.stop()
        for jobs in self._all_jobs:
            await jobs.stop()
        await self._log.stop()
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
        """Scale what is due to be, and fail jobs whose time is over; the latter look at the clock by themselves."""
        self._autoscaling.look()

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

    @contextlib.asynccontextmanager
    async def secured(self, options: Options) -> AsyncIterator[None]:
        """Listen for gRPC and TLS as well, on one port of its own, under an authority of our own."""
        from emulators.authority import NAMES, Authority  # cost 0.5 s, and seldom needed
        from emulators.vertex.gate import Gate
        from emulators.vertex.grpc_api import GrpcApi

        folder = scratch_folder("vertex")
        authority = Authority.of(os.environ, folder)
        grpc_api = GrpcApi(self.suffered)
        gate = Gate(options.port, folder / "grpc.sock", folder, authority.context_for_any_name())
        await grpc_api.start(folder / "grpc.sock", *authority.issue(*NAMES))
        await gate.start(options.host)
        self._tls = {"address": f"{options.host}:{gate.port}", "authority": str(authority.certificate_file)}
        try:
            yield
        finally:
            gate.close()
            await grpc_api.stop()
            shutil.rmtree(folder, ignore_errors=True)

    async def suffered(
        self, method: str, path: str, query: dict[str, str], raw: bytes, headers: dict[str, str]
    ) -> Response:
        """The answer to one call, unless a fault was ordered for it.

        Raises:
            ApiError: as `answer`, or the fault says so.
            AnswerLost: the work is done, and the caller must not hear of it.
        """
        target = Target.of(method, path)
        self.quotas.take(target)
        fault = self.faults.take(target.method)
        if fault is None:
            return await self.answer(method, path, query, raw, headers)
        if fault.action == "error":
            raise ApiError.of_status(fault.status, f"Ordered by fault {fault.id}.")
        if fault.action == "crash_before":
            die()
        if fault.action == "delay":
            await asyncio.sleep(fault.delay_seconds)
        if fault.action in ("crash_after", "lose_answer"):
            with contextlib.suppress(ApiError):
                await self.answer(method, path, query, raw, headers)
            if fault.action == "crash_after":
                die()
            raise AnswerLost("The answer is lost, as ordered by a fault.")
        return await self.answer(method, path, query, raw, headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one REST request."""
        request = Request(scope, receive)
        raw = await request.body()
        given = request.query_params
        query, headers = {name: ",".join(given.getlist(name)) for name in given}, dict(request.headers)
        try:
            response = await self.suffered(request.method, request.url.path, query, raw, headers)
        except AnswerLost:
            await cut(send)
            return
        except ApiError as error:
            response = JSONResponse(error.body(), status_code=error.status)
        await response(scope, receive, send)


async def serve(options: Options) -> None:
    """Run until told to stop; with DROPFORGE_VERTEX_TLS=yes, a second port takes gRPC and TLS."""
    emulator = VertexEmulator(options.data)
    secure = os.environ.get(TLS_VARIABLE) == "yes"
    if secure and options.port == 0:
        options = dataclasses.replace(options, port=free_port())  # the way behind the TLS port must be known before

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        emulator.start()
        async with emulator.secured(options) if secure else contextlib.nullcontext():
            yield
        await emulator.close()

    control = Starlette(routes=[*control_routes(emulator), *quota_routes(emulator.quotas)], lifespan=lifespan)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        own = scope["type"] != "http" or scope["path"].startswith(PREFIX)
        await (control if own else emulator)(scope, receive, send)

    await serve_asgi(app, options)
