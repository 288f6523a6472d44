"""The ASGI application: two routes, and nothing between them and the model that costs time."""

import asyncio
import time
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any, Protocol

import orjson

from dropforge.contracts import predictions
from dropforge.contracts.errors import NotExplainable, RequestInvalid
from dropforge.contracts.instances import Signature
from dropforge.contracts.outcomes import Given
from dropforge.contracts.served import ServedCandidate
from dropforge.core.respond import Explain, respond
from dropforge.gcp import access, logs

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

# A batch up to this size is predicted on the event loop, in about a millisecond; a larger one beside it.
_INLINE = 200
_JSON = b"application/json"
_PROBLEM = predictions.PROBLEM_TYPE.encode()

log = logs.logger("model_server")


class Served(Protocol):
    """What is asked of a loaded candidate."""

    @property
    def candidate(self) -> ServedCandidate:
        """Which it is."""

    @property
    def signature(self) -> Signature:
        """What it takes."""

    @property
    def predict(self) -> Callable[[list[dict[str, Any]]], Sequence[Given]]:
        """What it gives for each instance."""

    @property
    def explain(self) -> Explain | None:
        """What each column adds, where that can be said."""


class TooLarge(Exception):
    """A body has more bytes than are taken."""


class Application:
    """Vertex AI's health and predict routes for one loaded candidate."""

    def __init__(self, loaded: Served, predict_route: str, health_route: str) -> None:
        self._loaded = loaded
        self._predict_route = predict_route
        self._health_route = health_route
        self._who = {"candidate": loaded.candidate.candidate_id, "pipeline": loaded.candidate.pipeline}
        self._health = orjson.dumps({"status": "ok", **self._who})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        began = time.perf_counter()
        request_id = access.given_id(scope["headers"]) or access.new_id()
        status, body, rows = await self._answer(scope, receive)
        content_type = _JSON if status == 200 else _PROBLEM
        headers = [
            (b"content-type", content_type),
            (b"content-length", str(len(body)).encode()),
            (b"x-request-id", request_id.encode("latin-1")),
        ]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body if scope["method"] != "HEAD" else b""})
        if rows or status >= 400:
            seconds = time.perf_counter() - began
            who = {"instances": rows, "request_id": request_id, **self._who}
            access.write(scope["method"], scope["path"], status, seconds, **who)

    async def _answer(self, scope: Scope, receive: Receive) -> tuple[int, bytes, int]:
        """Status, body, and the number of predictions in it."""
        path, method = scope["path"], scope["method"]
        if path == self._health_route:
            return 200, self._health, 0
        if path != self._predict_route:
            return _refusal(404, f"Expected {self._predict_route} or {self._health_route}. Found {path}.")
        if method != "POST":
            return _refusal(405, f"Expected POST. Found {method}.")
        try:
            request = predictions.read(orjson.loads(await _body(receive)))
            answers = await self._answers(request)
        except TooLarge:
            return _refusal(413, f"Expected a body of at most {predictions.MOST_BYTES} bytes. Found more.")
        except orjson.JSONDecodeError as error:
            return _refusal(400, f"Expected JSON: {error}.")
        except RequestInvalid as error:
            return _refusal(400, error.message, errors=error.fields.get("problems", []))
        except NotExplainable as error:
            return _refusal(501, error.message)
        except Exception:
            log.exception("A prediction failed.", extra={"fields": self._who})
            return _refusal(500, "The model failed on this request; the server's log says why.")
        return 200, orjson.dumps({"predictions": answers}), len(answers)

    async def _answers(self, request: predictions.Request) -> list[dict[str, Any]]:
        loaded = self._loaded
        given = request, loaded.signature, loaded.predict, loaded.explain, loaded.candidate.outcome
        at_once = len(request.instances) <= _INLINE and not request.explain
        return respond(*given) if at_once else await asyncio.to_thread(respond, *given)


def _refusal(status: int, detail: str, **more: Any) -> tuple[int, bytes, int]:
    return status, orjson.dumps(predictions.problem(status, detail, **more)), 0


async def _body(receive: Receive) -> bytes:
    message = await receive()
    body: bytes = message.get("body", b"")
    while message.get("more_body"):
        if len(body) > predictions.MOST_BYTES:
            raise TooLarge
        message = await receive()
        body += message.get("body", b"")
    if len(body) > predictions.MOST_BYTES:
        raise TooLarge
    return body
