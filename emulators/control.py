"""The control plane that every emulator has: health, reset, seed, faults, clock; HTTP and JSON under `/_emulator`."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any, Protocol

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from emulators.clock import Clock
from emulators.faults import Fault, Faults

PREFIX = "/_emulator"


class Controlled(Protocol):
    """What an emulator offers to its control plane."""

    name: str
    clock: Clock
    faults: Faults

    async def reset(self) -> None:
        """Forget everything stored."""

    async def seed(self, data: dict[str, Any]) -> None:
        """Create what `data` describes; its form is the emulator's own. Raises ValueError on data it cannot read."""

    async def health(self) -> dict[str, Any]:
        """Counts worth showing, such as buckets or subscriptions."""

    async def tick(self) -> None:
        """The clock was advanced: let deadlines and schedules that are now past take effect."""


Handler = Callable[[Request], Awaitable[Response]]


def control_routes(emulator: Controlled) -> list[Route]:
    """Starlette routes of the control plane for one emulator."""
    started = time.monotonic()

    async def health(_: Request) -> Response:
        uptime = round(time.monotonic() - started, 3)
        return JSONResponse(
            {"emulator": emulator.name, "status": "ok", "uptime_seconds": uptime, **await emulator.health()}
        )

    async def reset(_: Request) -> Response:
        emulator.faults.clear()
        emulator.clock.reset()
        await emulator.reset()
        return JSONResponse({"reset": True})

    async def seed(request: Request) -> Response:
        await emulator.seed(await request.json())
        return JSONResponse({"seeded": True})

    async def add_fault(request: Request) -> Response:
        return JSONResponse(asdict(emulator.faults.add(Fault(**await request.json()))), status_code=201)

    async def list_faults(_: Request) -> Response:
        return JSONResponse({"faults": [asdict(fault) for fault in emulator.faults.all()]})

    async def get_fault(request: Request) -> Response:
        fault = emulator.faults.get(request.path_params["id"])
        if fault is None:
            return JSONResponse({"error": f"There is no fault {request.path_params['id']!r}."}, status_code=404)
        return JSONResponse(asdict(fault))

    async def delete_fault(request: Request) -> Response:
        emulator.faults.remove(request.path_params["id"])
        return JSONResponse({"removed": True})

    async def get_clock(_: Request) -> Response:
        return JSONResponse({"now": emulator.clock.now(), "ahead_seconds": emulator.clock.ahead_seconds})

    async def advance_clock(request: Request) -> Response:
        body = await request.json()
        emulator.clock.advance(float(body["advance_seconds"]))
        await emulator.tick()
        return await get_clock(request)

    table: list[tuple[str, str, Handler]] = [
        ("GET", "/health", health),
        ("POST", "/reset", reset),
        ("POST", "/seed", seed),
        ("POST", "/faults", add_fault),
        ("GET", "/faults", list_faults),
        ("GET", "/faults/{id}", get_fault),
        ("DELETE", "/faults/{id}", delete_fault),
        ("GET", "/clock", get_clock),
        ("POST", "/clock", advance_clock),
    ]
    return [Route(PREFIX + path, _told(handler), methods=[method]) for method, path, handler in table]


def _told(handler: Handler) -> Handler:
    """Turn a body that cannot be read into a 400 that says why."""

    async def guarded(request: Request) -> Response:
        try:
            return await handler(request)
        except (ValueError, TypeError, KeyError) as error:
            return JSONResponse({"error": f"{type(error).__name__}: {error}"}, status_code=400)

    return guarded
