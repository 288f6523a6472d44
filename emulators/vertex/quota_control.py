"""The control plane's own way to look at quotas, and to set them: `GET` and `POST /_emulator/quotas`."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from emulators.control import PREFIX
from emulators.vertex.quotas import Quotas


def quota_routes(quotas: Quotas) -> list[Route]:
    """Starlette routes for one emulator's quotas."""

    async def look_or_set(request: Request) -> Response:
        try:
            if request.method == "POST":
                quotas.set(await request.json())
        except (ValueError, AttributeError) as error:
            return JSONResponse({"error": str(error)}, status_code=400)
        return JSONResponse({"quotas": quotas.limits})

    return [Route(f"{PREFIX}/quotas", look_or_set, methods=["GET", "POST"])]
