"""The router's HTTP side: `/_push/<function>` for Pub/Sub, the HTTP functions' paths, and the control plane.

The environment says where things are:

- GOOGLE_CLOUD_PROJECT, PUBSUB_EMULATOR_HOST, STORAGE_EMULATOR_HOST; without one of the last two, nothing is wired there
- DROPFORGE_DIST (default `dist`), DROPFORGE_FLOW (default `functions/flow.yaml`)
- DROPFORGE_PYTHON: the functions' interpreter, by default the router's own
- DROPFORGE_WARM: `all` starts every function at once
- DROPFORGE_IDLE_SECONDS (default 900): after how long an unused instance ends
- DROPFORGE_PENDING (default 100): how many requests may wait for one function
- DROPFORGE_AUTH: `on` checks ID tokens, `off`, the default, lets everybody in
- PUBSUB_EMULATOR_CONTROL: where the keys are with which Pub/Sub signs its pushes
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from emulators.connection import cut
from emulators.control import PREFIX, control_routes
from emulators.hosting import AnnouncingServer, Options, listen
from emulators.router.deliveries import ConnectionCut
from emulators.router.guard import Guard, Refused, without_signature
from emulators.router.hosts import FunctionHost
from emulators.router.proxy import proxy
from emulators.router.runtime import Runtime
from emulators.router.state import PUSH, Router
from emulators.router.wiring import Emulated
from functions import flow

_REPO = Path(__file__).parent.parent.parent


def create_app(router: Router) -> ASGIApp:
    """The ASGI application of one router."""
    starlette = Starlette(
        routes=[
            Route(f"{PREFIX}/functions", _functions),
            Route(f"{PREFIX}/token", _token),
            *control_routes(router),
        ],
        lifespan=_lifespan,
    )
    starlette.state.router = router

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            path = scope["path"]
            if path.startswith(PUSH):
                return await _push(router, scope, receive, send)
            if not path.startswith(PREFIX) and (host := router.http_function(path)) is not None:
                return await _call(router, host, scope, receive, send)
        return await starlette(scope, receive, send)

    return app


@asynccontextmanager
async def _lifespan(app: Starlette) -> AsyncIterator[None]:
    yield
    await app.state.router.stop()


async def _functions(request: Request) -> Response:
    return JSONResponse({"functions": request.app.state.router.functions()})


async def _token(request: Request) -> Response:
    """An ID token for a person: `?email=` (somebody, by default) and `?audience=` (this router, by default)."""
    router: Router = request.app.state.router
    if router.guard is None:
        return PlainTextResponse("Expected DROPFORGE_AUTH=on. It is off, so nobody needs a token.", status_code=409)
    asked = request.query_params
    audience = asked.get("audience") or router.url
    return PlainTextResponse(await router.guard.token(asked.get("email", "somebody@example.com"), audience))


async def _call(router: Router, host: FunctionHost, scope: Scope, receive: Receive, send: Send) -> None:
    """Pass a request to an HTTP function, if the caller may."""
    if router.guard is not None and host.function.invoker != "public":
        audiences = (router.url, f"{router.url}{host.function.trigger.http}")
        try:
            await router.guard.check(Request(scope).headers.get("authorization"), audiences)
        except Refused as refused:
            return await refused.response()(scope, receive, send)
        scope["headers"] = without_signature(scope["headers"])
    return await proxy(host, scope, receive, send)


async def _push(router: Router, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer one push with the status that the function gave."""
    request = Request(scope, receive)
    response: Response
    function = scope["path"].removeprefix(PUSH)
    try:
        await router.admit(function, request.headers.get("authorization"))
        response = Response(status_code=await router.push(function, await request.body()))
    except Refused as refused:
        response = refused.response()
    except ConnectionCut:
        return await cut(send)
    except KeyError as error:
        response = PlainTextResponse(f"Expected one of {', '.join(router.hosts)}. Got {error}.", status_code=404)
    except ValueError as error:
        response = PlainTextResponse(str(error), status_code=400)
    return await response(scope, receive, send)


async def serve(options: Options) -> None:
    """Run the router until the process is told to stop; announce it once everything is wired.

    Raises:
        SystemExit: the flow cannot be used, or the port is taken.
    """
    try:
        router = _router(os.environ, options.data)
    except flow.FlowInvalid as error:
        sys.exit(str(error))
    bound = listen(options.host, options.port)
    port = bound.getsockname()[1]
    url = f"http://{options.host}:{port}"
    # No headers of its own: those of the function pass through.
    config = uvicorn.Config(
        create_app(router),
        log_level="warning",
        access_log=False,
        server_header=False,
        date_header=False,
        timeout_graceful_shutdown=2,
    )
    server = AnnouncingServer(config)

    async def begin() -> None:
        try:
            await router.wire(f"http://127.0.0.1:{port}")
        except Exception as error:  # noqa: BLE001 - whatever it is, a router that is not wired must not stay
            print(f"The router could not be wired: {error}", file=sys.stderr)
            server.should_exit = True
            return
        router.start(warm=os.environ.get("DROPFORGE_WARM") == "all")
        options.announce(url=url, control=url)

    tasks: list[asyncio.Task[None]] = []
    server.on_started = lambda: tasks.append(asyncio.create_task(begin()))
    await server.serve(sockets=[bound])


def _router(environment: Mapping[str, str], data: Path | None) -> Router:
    project = environment.get("GOOGLE_CLOUD_PROJECT", "dropforge-local")
    runtime = Runtime(
        dist=Path(environment.get("DROPFORGE_DIST", _REPO / "dist")).absolute(),
        environment=environment,
        project=project,
        python=environment.get("DROPFORGE_PYTHON", sys.executable),
        idle_seconds=float(environment.get("DROPFORGE_IDLE_SECONDS", "900")),
        pending=int(environment.get("DROPFORGE_PENDING", "100")),
    )
    where = Emulated(project, environment.get("PUBSUB_EMULATOR_HOST"), environment.get("STORAGE_EMULATOR_HOST"))
    return Router(
        flow.read(Path(environment.get("DROPFORGE_FLOW", flow.PATH))), runtime, where, data, _guard(environment)
    )


def _guard(environment: Mapping[str, str]) -> Guard | None:
    wanted = environment.get("DROPFORGE_AUTH", "off")
    if wanted not in ("on", "off"):
        sys.exit(f"Expected DROPFORGE_AUTH to be 'on' or 'off'. Found {wanted!r}.")
    control = environment.get("PUBSUB_EMULATOR_CONTROL")
    certificates = f"{control.removesuffix(PREFIX)}/oauth2/v1/certs" if control else None
    return Guard(certificates) if wanted == "on" else None
