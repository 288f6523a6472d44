"""Tell what was asked, and which shared code answers."""

import functions_framework.aio
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

import dropforge


@functions_framework.aio.http
async def web(request: Request) -> Response:
    """Echo the request; below `/v1/bytes` its body as it is, in pieces."""
    body = await request.body()
    if request.url.path == "/v1/bytes":
        pieces = (body[start : start + 65536] for start in range(0, len(body), 65536))
        return StreamingResponse(iter(list(pieces)), status_code=201, headers={"x-length": str(len(body))})
    told = {
        "method": request.method,
        "path": request.url.path,
        "query": request.url.query,
        "header": request.headers.get("x-asked"),
        "body": body.decode(),
        "dropforge": dropforge.__file__,
    }
    return JSONResponse(told)
