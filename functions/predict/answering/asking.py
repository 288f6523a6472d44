"""From an HTTP request to what it asks for, or to the refusal that says what is wrong with it."""

from typing import Any

import orjson
from starlette.requests import ClientDisconnect, Request

from dropforge.contracts import predictions
from dropforge.contracts.errors import RequestInvalid

from .champions import Serving


class Refused(Exception):
    """A request that gets no answer but a problem (RFC 9457). `allow` are the methods that its path takes, of a 405."""

    def __init__(self, status: int, detail: str, *, allow: str = "", **more: Any) -> None:
        super().__init__(detail)
        self.status = status
        self.allow = allow
        self.body = predictions.problem(status, detail, **more)


def expect(request: Request, method: str) -> None:
    """Raises Refused unless it is this method; HEAD is a GET."""
    if request.method != method and (method, request.method) != ("GET", "HEAD"):
        allow = "GET, HEAD" if method == "GET" else method
        raise Refused(405, f"Expected {method}. Found {request.method}.", allow=allow)


async def body_of(request: Request) -> bytes:
    """The body. Raises Refused where it is not JSON by its type, is too large, or ends too early."""
    kind = request.headers.get("content-type", "application/json")
    if kind.partition(";")[0].strip() != "application/json":
        raise Refused(415, f"Expected a body of type application/json. Found {kind!r}.")
    body = bytearray()
    try:
        async for piece in request.stream():
            body += piece
            if len(body) > predictions.MOST_BYTES:
                raise Refused(413, f"Expected a body of at most {predictions.MOST_BYTES} bytes. Found more.")
    except ClientDisconnect as error:
        raise Refused(400, "The body ended before its length.") from error
    return bytes(body)


def asked_of(body: bytes, explain: bool) -> predictions.Request:
    """What a body asks for, with explanations if the path says so. Raises Refused where it is not of the right form."""
    try:
        asked = predictions.read(orjson.loads(body))
        if explain:
            return asked.explained()
    except orjson.JSONDecodeError as error:
        raise Refused(400, f"Expected JSON: {error}.") from error
    except RequestInvalid as error:
        raise Refused(400, error.message, errors=error.fields["problems"]) from error
    if asked.explain:
        raise Refused(400, "Expected the path to end in ':explain' where explanations are wanted. Found ':predict'.")
    return asked


def unfit(error: RequestInvalid, serving: Serving) -> Refused:
    """The refusal of instances that do not fit what serves."""
    return Refused(400, error.message, errors=error.fields["problems"], version=serving.champion.version)


def no_table(pipeline: str) -> Refused:
    """The refusal of keys where no table will ever know them."""
    expected, found = "'by' to be 'features'", "'key'"
    wrong = {"pointer": "/parameters/by", "expected": expected, "found": found}
    said = f"Expected {expected}, for the serving mode of {pipeline!r} is 'dynamic'. Found {found}."
    return Refused(400, said, errors=[wrong])
