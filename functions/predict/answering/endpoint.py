"""The champion's endpoint on Vertex AI, by its REST interface."""

from collections.abc import Callable
from typing import Any

import orjson

from dropforge.contracts import predictions
from dropforge.contracts.errors import NotExplainable, NotFound, ServiceUnavailable
from dropforge.contracts.settings import Settings
from dropforge.gcp.rest import Token

from .beside import uncounted
from .champions import Serving
from .upstream import Answer, Upstream


class Endpoint:
    """Asks the endpoint that a champion pointer names."""

    def __init__(self, settings: Settings, upstream: Upstream, failed: Callable[[Serving], None] = uncounted) -> None:
        self._api = settings.vertex_api or f"https://{settings.location}-aiplatform.googleapis.com"
        self._token = Token(emulated=settings.vertex_api is not None)
        self._upstream = upstream
        self._failed = failed

    async def ask(self, serving: Serving, asked: predictions.Request, body: bytes | None) -> dict[str, Any]:
        """Vertex AI's answer: `predictions`, `deployedModelId`, `model`, `modelVersionId`.

        The `body` is handed on as it came; `asked` is what it says, and where there is no body it is made of that.

        Raises:
            RequestInvalid: an instance does not fit.
            NotExplainable: explanations are asked for, and the model has none.
            NotFound: the endpoint is gone, or has no model.
            ServiceUnavailable: it does not answer, or not as promised.
        """
        if not (
            asked.checked or asked.partial
        ):  # else the model server answers what does not fit with an error in its place
            serving.signature.check(asked.instances)
        url = f"{self._api}/v1/{serving.champion.endpoint}:predict"
        answer = await self._upstream.post(
            url, self._token, body or orjson.dumps(asked.said()), lambda: self._failed(serving)
        )
        if answer.status == 200:
            return _promised(answer.body, len(asked.instances), url)
        if answer.status == 501:
            raise NotExplainable("This model has no explanations: it has no compiled form, or one from before them.")
        if answer.status == 404 or _has_no_model(answer):
            raise NotFound(f"{url}: {answer.status}.", endpoint=serving.champion.endpoint)
        raise ServiceUnavailable(f"{url}: {answer.status} {answer.body[:500]!r}.", endpoint=serving.champion.endpoint)


def _promised(body: bytes, instances: int, url: str) -> dict[str, Any]:
    """The answer, if it has one prediction for each instance."""
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise ServiceUnavailable(f"Expected JSON from {url}: {error}.") from error
    predicted = found.get("predictions") if isinstance(found, dict) else None
    if not isinstance(predicted, list) or len(predicted) != instances:
        raise ServiceUnavailable(f"Expected {instances} predictions from {url}. Found {body[:200]!r}.")
    answer: dict[str, Any] = found
    return answer


def _has_no_model(answer: Answer) -> bool:
    return answer.status == 400 and b"FAILED_PRECONDITION" in answer.body
