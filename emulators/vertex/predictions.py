"""Online predictions: handed to the model server whose turn it is, and its answer made Vertex AI's."""

from typing import Any

import orjson
from google.cloud.aiplatform_v1 import types
from starlette.responses import Response

from emulators.vertex.calls import Call, Handler
from emulators.vertex.errors import ApiError, FailedPrecondition, InvalidArgument, NotFound, Unavailable
from emulators.vertex.explanations import explained, overridden
from emulators.vertex.replicas import Deployment
from emulators.vertex.request_log import RequestLog
from emulators.vertex.schema import Json
from emulators.vertex.serving import Serving
from emulators.vertex.upstream import Answer, Broken, Unreachable

# https://cloud.google.com/vertex-ai/docs/quotas: a shared public endpoint takes and gives 1.5 MB
LARGEST = 1_572_864
SECONDS = 60.0
JSON_CONTENT = {"content-type": "application/json"}


class Predictions:
    """Calls of `endpoints` that ask a model."""

    def __init__(self, serving: Serving, log: RequestLog) -> None:
        self._serving = serving
        self._log = log

    def handlers(self) -> dict[str, Handler]:
        """Calls by name."""
        return {
            "aiplatform.endpoints.predict": self.predict,
            "aiplatform.endpoints.rawPredict": self.raw_predict,
            "aiplatform.endpoints.explain": self.explain,
        }

    async def predict(self, call: Call) -> Response:
        """`{"instances": [...], "parameters": ...}` to `{"predictions": [...], ...}`."""
        _check_size(call.raw)
        instances = _object(call.raw).get("instances")
        if not isinstance(instances, list):
            raise InvalidArgument("The request must have a list 'instances'.")
        deployed, answer = await self._ask(call, JSON_CONTENT)
        predictions = predictions_of(answer)["predictions"]
        self._log.take(self._serving.endpoint(call.name), deployed["id"], instances, predictions)
        body = {
            "predictions": predictions,
            "deployedModelId": deployed["id"],
            "model": deployed["model"],
            "modelDisplayName": deployed["displayName"],
            "modelVersionId": deployed["modelVersionId"],
        }
        return Response(orjson.dumps(body), media_type="application/json")

    async def raw_predict(self, call: Call) -> Response:
        """Any body to any body."""
        _check_size(call.raw)
        sent = {"content-type": call.headers.get("content-type", "application/json")}
        deployed, answer = await self._ask(call, sent)
        if answer.status >= 400:
            raise ApiError.of_status(answer.status, _text(answer))
        headers = {
            "content-type": answer.headers.get("content-type", "application/octet-stream"),
            "x-vertex-ai-endpoint-id": call.name.rpartition("/")[2],
            "x-vertex-ai-deployed-model-id": deployed["id"],
        }
        return Response(answer.body, headers=headers)

    async def explain(self, call: Call) -> Response:
        """Predictions, and what each feature contributed to them."""
        _check_size(call.raw)
        request = _object(call.raw)
        instances = request.get("instances")
        if not isinstance(instances, list):
            raise InvalidArgument("The request must have a list 'instances'.")
        override = call.message(types.ExplainRequest).get("explanationSpecOverride", {})
        deployed, deployment = self._chosen(call, request.get("deployedModelId", ""))
        if "explanationSpec" not in deployed:
            raise FailedPrecondition(f"DeployedModel {deployed['id']} has no explanation_spec, so cannot be explained.")
        spec = overridden(deployed["explanationSpec"], override)

        async def predict(some: list[Any]) -> list[Any]:
            return await predictions_for(deployment, some, request.get("parameters"))

        explanations, predictions = await explained(predict, instances, spec)
        self._log.take(self._serving.endpoint(call.name), deployed["id"], instances, predictions)
        body = {"explanations": explanations, "deployedModelId": deployed["id"], "predictions": predictions}
        return Response(orjson.dumps(body), media_type="application/json")

    def _chosen(self, call: Call, deployed_id: str) -> tuple[Json, Deployment]:
        """The deployed model that was asked for, or else the one whose turn it is."""
        if deployed_id:
            return self._serving.deployment_of(call.name, deployed_id)
        chosen = self._serving.next_deployment(call.name)
        if chosen is None:
            raise NotFound(f"Endpoint `{call.name}` is not found.")
        return chosen

    async def _ask(self, call: Call, headers: dict[str, str]) -> tuple[Json, Answer]:
        deployed, deployment = self._chosen(call, "")
        return deployed, await ask(deployment, call.raw, headers)


async def ask(deployment: Deployment, body: bytes, headers: dict[str, str]) -> Answer:
    """A model server's answer, from whichever replica can be reached.

    Raises:
        Unavailable: no replica is healthy, or the one that was asked went away.
        ApiError: DEADLINE_EXCEEDED, there was no answer in 60 s.
    """
    deployment.asked += 1
    while (replica := deployment.pick()) is not None:
        replica.in_flight += 1
        try:
            return await replica.upstream.request(
                "POST", deployment.container.predict_route, body, headers=headers, seconds=SECONDS
            )
        except Unreachable:
            replica.healthy.clear()  # it is about to be restarted, or will pass its health check again
        except Broken as error:
            raise Unavailable(f"The model server ended during the request. {error}") from error
        except TimeoutError as error:
            raise ApiError("The model server took too long to answer.", code="DEADLINE_EXCEEDED") from error
        finally:
            replica.in_flight -= 1
    raise Unavailable("No replica of the model is healthy. Please try again.")


async def predictions_for(deployment: Deployment, instances: list[Any], parameters: Any) -> list[Any]:
    """The model's predictions, one an instance.

    Raises:
        InvalidArgument: there are more or fewer.
        ApiError: as `ask` and `predictions_of`.
    """
    body = {"instances": instances} | ({"parameters": parameters} if parameters is not None else {})
    answer = await ask(deployment, orjson.dumps(body), JSON_CONTENT)
    predictions: list[Any] = predictions_of(answer)["predictions"]
    if len(predictions) != len(instances):
        raise InvalidArgument(f"The model gave {len(predictions)} predictions for {len(instances)} instances.")
    return predictions


def predictions_of(answer: Answer) -> dict[str, Any]:
    """A model server's answer, which has a list `predictions`.

    Raises:
        ApiError: it is a failure, or has no such list.
    """
    if answer.status >= 400:
        raise ApiError.of_status(answer.status, _text(answer))
    try:
        body = orjson.loads(answer.body)
    except ValueError:
        body = None
    if not isinstance(body, dict) or not isinstance(body.get("predictions"), list):
        raise FailedPrecondition(
            "Invalid response from prediction server - the response field predictions is missing. "
            f"Response: {_text(answer)}"
        )
    return body


def _text(answer: Answer) -> str:
    return answer.body[:4000].decode(errors="replace")


def _check_size(raw: bytes) -> None:
    if len(raw) > LARGEST:
        raise InvalidArgument(f"Request payload size exceeds the limit: {LARGEST} bytes.")


def _object(raw: bytes) -> dict[str, Any]:
    try:
        body = orjson.loads(raw)
    except ValueError as error:
        raise InvalidArgument(f"Invalid JSON payload received. {error}") from error
    if not isinstance(body, dict):
        raise InvalidArgument("Invalid JSON payload received. Expected an object.")
    return body
