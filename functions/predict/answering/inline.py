"""The champion within this process: no endpoint, so nothing that costs while nobody asks.

The compiled predictor of the champion is read from the state bucket when the pointer first names it, and answers bit
for bit as the endpoint would. `DROPFORGE_PREDICT_BACKEND=inline` chooses it.
"""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from dropforge.contracts import places, predictions
from dropforge.contracts.errors import ArtefactTampered, ServiceUnavailable
from dropforge.core import compiled
from dropforge.core.respond import respond
from dropforge.gcp import logs

from .beside import uncounted
from .champions import Champions, Serving

_AT_ONCE = 200  # instances; a larger batch is predicted beside the event loop
_MOST_MODELS = 50  # kept, the last used ones

log = logs.logger("predict")


class Inline:
    """Answers with compiled predictors, known by their digest."""

    def __init__(self, champions: Champions, failed: Callable[[Serving], None] = uncounted) -> None:
        self._champions = champions
        self._failed = failed
        self._loaded: dict[str, compiled.Predictor] = {}

    async def ask(self, serving: Serving, asked: predictions.Request, _: bytes | None) -> dict[str, Any]:
        """As `Endpoint.ask`. A canary answers its share of the requests, and where it cannot, the champion does.

        Raises:
            RequestInvalid: an instance does not fit.
            NotExplainable: explanations are asked for, and the form is from before there were any.
            ServiceUnavailable: the predictor cannot be read, is none, or is not the candidate's.
        """
        beside = serving.beside
        if beside is not None and beside.has_its_turn():
            canary = replace(serving, champion=beside.version, candidate=beside.candidate)
            try:
                return await self._answer(canary, asked)
            except ServiceUnavailable as error:
                log.warning(f"The canary of {beside.version.pipeline} does not answer: {error}")
                self._failed(serving)
        return await self._answer(serving, asked)

    async def _answer(self, serving: Serving, asked: predictions.Request) -> dict[str, Any]:
        model = await self._model(serving)
        given = asked, serving.signature, model.predict, model.explain, serving.candidate.outcome
        if len(asked.instances) <= _AT_ONCE and not asked.explain:
            found = respond(*given)
        else:
            found = await asyncio.to_thread(respond, *given)
        champion = serving.champion
        return {
            "predictions": found,
            "deployedModelId": champion.deployed_model_id,
            "model": champion.model,
            "modelVersionId": champion.version,
        }

    async def _model(self, serving: Serving) -> compiled.Predictor:
        digest = serving.candidate.compiled_sha256 or ""
        model = self._loaded.pop(digest, None) or await self._load(serving)
        self._loaded[digest] = model
        while len(self._loaded) > _MOST_MODELS:
            self._loaded.pop(next(iter(self._loaded)))
        return model

    async def _load(self, serving: Serving) -> compiled.Predictor:
        candidate = serving.candidate
        if candidate.compiled_sha256 is None:
            raise ServiceUnavailable(f"{candidate.candidate_id} has no compiled form: {candidate.compiled_because}")
        if candidate.artefact_sha256 != serving.champion.artefact_sha256:
            raise ServiceUnavailable(f"{candidate.candidate_id} is not the candidate that was made champion.")
        place = places.candidate(candidate.pipeline, candidate.candidate_id, "predictor.json")
        try:
            model = compiled.load(await self._champions.content(place), candidate.compiled_sha256)
        except ArtefactTampered as error:
            raise ServiceUnavailable(error.message, object=place) from error
        asyncio.get_running_loop().run_in_executor(None, model.hasten)  # beside the first answers
        return model
