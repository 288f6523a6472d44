"""The bound of what functions-framework can do: a body read, and nothing computed."""

from typing import Any

import functions_framework.aio
from starlette.requests import Request

ANSWER = {"predictions": [{"probability": 0.25, "label": False}]}


@functions_framework.aio.http
async def constant(request: Request) -> dict[str, Any]:
    """The same answer to everything."""
    await request.body()
    return ANSWER
