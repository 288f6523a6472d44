"""The routes: what each request is, and its answer or its refusal."""

import re
import time
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from dropforge.contracts import logged, predictions
from dropforge.contracts.errors import FileUnreadable, NotExplainable, NotFound, RequestInvalid, ServiceUnavailable
from dropforge.contracts.instances import expectation
from dropforge.contracts.settings import Settings
from dropforge.gcp import access, logs

from . import labels
from .asking import Refused, asked_of, body_of, expect, no_table, unfit
from .champions import Champions, Serving
from .endpoint import Endpoint
from .explaining import explained
from .inline import Inline
from .logging_rules import AllRules
from .openapi import document
from .prediction_log import Answered, PredictionLog
from .publisher import Publisher
from .tabled import Backend, Tabled
from .tally import Counted, Tally
from .upstream import Upstream

PIPELINE = re.compile(r"/v1/pipelines/([a-z][a-z0-9-]{0,40})(:predict|:explain|:label)?")
RETRY_AFTER = "1"  # seconds

log = logs.logger("predict")


class Service:
    """Answers every request of this process."""

    def __init__(self, settings: Settings) -> None:
        upstream = Upstream()
        self._settings = settings
        self._champions = Champions(settings.state_bucket, upstream)
        inline = settings.predict_backend == "inline"
        tally = Tally(settings.state_bucket, upstream)
        model: Backend = Inline(self._champions, tally.failed) if inline else Endpoint(settings, upstream, tally.failed)
        self._backend = Tabled(self._champions, Counted(model, tally))
        self._rules = AllRules(self._champions)
        self._publisher = Publisher(settings, upstream)
        self._log = PredictionLog(self._publisher)

    async def answer(self, request: Request) -> Response:
        """Route, answer, and log one line."""
        began = time.perf_counter()
        headers = request.headers.raw
        request_id = access.new_id()
        told: dict[str, Any] = {"request_id": request_id, "function": "predict"}
        more: dict[str, str] = {}  # headers
        try:
            status, body = 200, await self._route(request, request_id, told)
        except Refused as refusal:
            status, body = refusal.status, refusal.body
            more = {"allow": refusal.allow} if refusal.allow else {}
        except Exception:
            log.exception("A request failed.", extra={"fields": told})
            status, body = 500, predictions.problem(500, f"This is our fault; the log of {request_id} says why.")
        given = access.given_id(headers)
        if given is not None:
            told["caller_request_id"] = given
        access.write(
            request.method,
            request.scope["path"],
            status,
            time.perf_counter() - began,
            **told,
            **access.trace(headers, self._settings.project),
        )
        kind = "application/json" if status == 200 else predictions.PROBLEM_TYPE
        sent = {"x-request-id": given or request_id, "content-type": kind, **more}
        if status == 503:
            sent["retry-after"] = RETRY_AFTER
        return Response(orjson.dumps(body), status, headers=sent)

    async def _route(self, request: Request, request_id: str, told: dict[str, Any]) -> dict[str, Any]:
        path: str = request.scope["path"]  # request.url is built anew, and costs as much as a prediction
        match = PIPELINE.fullmatch(path)
        if match is not None:
            told["pipeline"] = match[1]
            expect(request, "POST" if match[2] else "GET")
            if match[2] == ":label":
                return await self._label(match[1], request, told)
            if match[2] == ":explain":
                return explained(await self._predict(match[1], request, request_id, told, explain=True))
            if match[2]:
                return await self._predict(match[1], request, request_id, told)
            return _described(await self._champion(match[1]))
        name = path.removeprefix("/v1")
        if name not in ("/healthz", "/readyz", "/openapi.json"):
            raise Refused(
                404, f"Expected /v1/pipelines/<pipeline>:predict or another path of /openapi.json. Found {path}."
            )
        expect(request, "GET")
        if name == "/openapi.json":
            return document()
        if name == "/readyz" and not await self._champions.reachable():
            raise Refused(503, "The state bucket does not answer.")
        return {"status": "ok"}

    async def _predict(
        self, pipeline: str, request: Request, request_id: str, told: dict[str, Any], explain: bool = False
    ) -> dict[str, Any]:
        body = await body_of(request)
        asked = asked_of(body, explain)
        sent = None if explain else body  # it does not say that explanations are wanted: `asked` does
        serving = await self._champion(pipeline)
        try:
            answered = await self._backend.ask(serving, asked, sent)
        except RequestInvalid as error:
            raise unfit(error, serving) from error
        except NotExplainable as error:
            raise Refused(501, error.message, version=serving.champion.version) from error
        except NotFound:
            serving, answered = await self._ask_newer(serving, asked, sent)
        except ServiceUnavailable as error:
            if asked.by_key and not (await self._rules.of(pipeline)).tabled:
                raise no_table(pipeline) from error
            log.warning(f"The model of {pipeline} does not answer: {error}")
            raise Refused(503, f"The model of {pipeline!r} does not answer now. Try again.") from error
        version = answered.get("modelVersionId", "")
        told |= {"version": version, "instances": len(asked.instances)}
        at = time.time()
        named = [
            {**found, "id": identity, "version": version}
            for found, identity in zip(answered["predictions"], _ids(asked, request_id, at), strict=True)
        ]
        answer = {**answered, "predictions": named}
        await self._keep(serving, asked, answer, at, request_id)
        return answer

    async def _keep(
        self, serving: Serving, asked: predictions.Request, answer: dict[str, Any], at: float, request_id: str
    ) -> None:
        try:
            rules = await self._rules.of(serving.champion.pipeline)
            if rules.keep(request_id):
                await self._log.keep(Answered(serving, asked, answer, at, rules))
        except ServiceUnavailable as error:
            log.warning(f"A prediction of {serving.champion.pipeline} cannot be logged: {error}")
            raise Refused(503, "The prediction cannot be logged now, as it must be. Try again.") from error

    async def _label(self, pipeline: str, request: Request, told: dict[str, Any]) -> dict[str, Any]:
        body = await body_of(request)
        task = (await self._champion(pipeline)).candidate.task
        try:
            answer = await labels.take(self._publisher, pipeline, task, orjson.loads(body))
        except orjson.JSONDecodeError as error:
            raise Refused(400, f"Expected JSON: {error}.") from error
        except RequestInvalid as error:
            raise Refused(400, error.message, errors=error.fields["problems"]) from error
        except ServiceUnavailable as error:
            log.warning(f"Labels of {pipeline} cannot be taken: {error}")
            raise Refused(503, "Labels cannot be taken now. Try again.") from error
        told |= answer
        return answer

    async def _ask_newer(
        self, gone: Serving, asked: predictions.Request, body: bytes | None
    ) -> tuple[Serving, dict[str, Any]]:
        """The endpoint has lost the model that the pointer named: follow the pointer, if it has moved."""
        pipeline = gone.champion.pipeline
        newer = await self._champions.newer(gone)
        try:
            if newer is not None:
                return newer, await self._backend.ask(newer, asked, body)
        except RequestInvalid as error:
            raise unfit(error, newer or gone) from error
        except NotExplainable as error:
            raise Refused(501, error.message) from error
        except (NotFound, ServiceUnavailable) as error:
            log.warning(f"The endpoint of {pipeline} has no model: {error}")
        raise Refused(503, f"The model of {pipeline!r} is being replaced. Try again.")

    async def _champion(self, pipeline: str) -> Serving:
        try:
            return await self._champions.of(pipeline)
        except NotFound as error:
            raise Refused(404, error.message) from error
        except (ServiceUnavailable, FileUnreadable) as error:
            log.warning(f"The champion of {pipeline} cannot be read: {error}")
            raise Refused(503, f"Which model serves {pipeline!r} cannot be read now. Try again.") from error


def _ids(asked: predictions.Request, request_id: str, at: float) -> Iterator[str]:
    """An id for each answer, which names the partition where a label will find it."""
    keys = asked.row_keys
    hour = logged.partition_of_time(at)
    for index in range(len(asked.instances)):
        keyed = keys is not None and isinstance(keys[index], dict)  # else it was answered with an error
        partition = logged.partition_of_key(logged.key_name(keys[index])) if keys and keyed else hour
        yield logged.prediction_id(partition, request_id, index)


def _described(serving: Serving) -> dict[str, Any]:
    champion = serving.champion
    return {
        "pipeline": champion.pipeline,
        "version": champion.version,
        "candidate": champion.candidate_id,
        "published": champion.published,
        "trainedUntil": champion.trained_until,
        "signature": [
            {**_present(asdict(field)), "expected": expectation(field)} for field in serving.candidate.signature
        ],
        "example": {"instances": [serving.signature.example()]},
    }


def _present(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
