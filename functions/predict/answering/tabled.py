"""Answers from a champion's lookup file where it has one, and from the model behind it where the mode allows that.

Every answer is of the version that it names: tables and cached answers are kept by candidate; and an answer of the
model is cached only if the version that gave it is the one that was asked for.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Protocol

from dropforge.contracts import predictions
from dropforge.contracts.errors import RequestInvalid, ServiceUnavailable
from dropforge.contracts.outcomes import Given

from .champions import Champions, Serving
from .recent import Recent
from .tables import Table, Tables, Which, identity

MOST_CACHED = 100_000  # answers of a process; some 20 MB

Found = dict[str, Any]


class Backend(Protocol):
    """What computes answers."""

    async def ask(self, serving: Serving, asked: predictions.Request, body: bytes | None) -> Found:
        """As `Endpoint.ask` and `Inline.ask`; `body` says what `asked` does, and is made where there is none."""


class Tabled:
    """The modes static and hybrid, before the backend that is the mode dynamic."""

    def __init__(self, champions: Champions, model: Backend, most_cached: int = MOST_CACHED) -> None:
        self._tables = Tables(champions)
        self._model = model
        self._cached: Recent[tuple[Which, bytes], Given] = Recent(most_cached)

    async def ask(self, serving: Serving, asked: predictions.Request, body: bytes | None) -> Found:
        """As `Endpoint.ask`.

        Raises:
            RequestInvalid: an instance does not fit, or is not in the table where nothing else may answer.
            NotFound, ServiceUnavailable: as the model's; and ServiceUnavailable for a key while there is no table.
        """
        if asked.explain:  # a table holds answers, and not what they come from
            return await self._model.ask(serving, asked, body)
        table = await self._tables.of(serving)
        if table is None:
            if asked.by_key:
                raise ServiceUnavailable(f"{serving.champion.candidate_id} has no table of answers, or none yet.")
            return await self._model.ask(serving, asked, body)
        signature = table.key if asked.by_key else serving.signature
        if not all(map(signature.fits, asked.instances)):
            return await self._in_part(serving, table, asked)
        return await self._fitting(serving, table, asked)

    async def _in_part(self, serving: Serving, table: Table, asked: predictions.Request) -> Found:
        """Refuse, or answer what fits and tell the rest, if the request is `partial`."""
        signature = table.key if asked.by_key else serving.signature
        if not asked.partial:
            signature.check(asked.instances)
        fitting = [instance for instance in asked.instances if signature.fits(instance)]
        if not fitting:
            found: Found = _answer(serving, [])
        else:
            found = await self._fitting(serving, table, replace(asked, instances=fitting))
        given = iter(found["predictions"])
        told = [
            next(given) if signature.fits(instance) else {"error": signature.told(index, instance)}
            for index, instance in enumerate(asked.instances)
        ]
        return {**found, "predictions": told}

    async def _fitting(self, serving: Serving, table: Table, asked: predictions.Request) -> Found:
        naming = table.by_key if asked.by_key else table.by_features
        names = [naming.of(instance) for instance in asked.instances]
        known = [self._known(serving, table, name) for name in names]
        missing = [index for index, probability in enumerate(known) if probability is None]
        if not missing:
            outcome = serving.candidate.outcome
            return _answer(serving, [asked.answer(each, outcome) for each in known if each is not None])
        if asked.by_key or table.mode == "static":
            return _without(serving, asked, known)
        return await self._filled(serving, asked, names, known, missing)

    def _known(self, serving: Serving, table: Table, name: bytes) -> Given | None:
        found = table.lookup.get(name)
        return self._cached.get((identity(serving), name)) if found is None else found

    async def _filled(
        self,
        serving: Serving,
        asked: predictions.Request,
        names: Sequence[bytes],
        known: Sequence[Given | None],
        missing: Sequence[int],
    ) -> Found:
        """The model's answers in the gaps; all are the model's if it turns out to be another version."""
        all_of_them = len(missing) == len(names)
        rest = replace(asked, instances=[asked.instances[index] for index in missing], checked=True)
        found = await self._model.ask(serving, rest, None)
        if found.get("modelVersionId") != serving.champion.version:
            return found if all_of_them else await self._model.ask(serving, asked, None)
        filled = dict(zip(missing, found["predictions"], strict=True))
        outcome = serving.candidate.outcome
        for index, answer in filled.items():
            self._cached.set((identity(serving), names[index]), outcome.given(answer))
        told = [filled[index] if each is None else asked.answer(each, outcome) for index, each in enumerate(known)]
        return {**found, "predictions": told}


def _without(serving: Serving, asked: predictions.Request, known: Sequence[Given | None]) -> Found:
    """What is not in the table is an error, and no model is asked."""
    told = [
        {"error": [_absent(index, asked)]} if each is None else asked.answer(each, serving.candidate.outcome)
        for index, each in enumerate(known)
    ]
    if asked.partial:
        return _answer(serving, told)
    problems = [answer["error"][0] for answer in told if "error" in answer]
    raise RequestInvalid(
        f"Instance {problems[0]['instance']}: expected {problems[0]['expected']}. Found none such.",
        problems=problems[:20],
        count=len(problems),
    )


def _absent(index: int, asked: predictions.Request) -> dict[str, Any]:
    expected = f"{'a key' if asked.by_key else 'a row'} that was answered when this version was published"
    return {
        "pointer": f"/instances/{index}",
        "instance": index,
        "field": "",
        "expected": expected,
        "found": "one that is not in the table",
    }


def _answer(serving: Serving, found: list[dict[str, Any]]) -> Found:
    champion = serving.champion
    return {
        "predictions": found,
        "deployedModelId": champion.deployed_model_id,
        "model": champion.model,
        "modelVersionId": champion.version,
    }
