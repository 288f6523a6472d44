"""HTTP in, predictions of the champion out."""

import functions_framework.aio
from answering import Service  # type: ignore[import-not-found]  # it lies beside main.py in the bundle
from starlette.requests import Request
from starlette.responses import Response

from dropforge.contracts.settings import Settings

service = Service(Settings.read())


@functions_framework.aio.http
async def predict(request: Request) -> Response:
    """One request; see `/openapi.json`."""
    answer: Response = await service.answer(request)
    return answer
