"""What is counted of the requests while a canary is under way: by version how many answers took how long, and failures.

Each process overwrites an object of its own, at most every `EVERY` seconds and beside the requests, so that counting
costs an answer nothing that can be measured. What the last seconds of a process saw is lost with it.
"""

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any

import orjson

from dropforge.contracts import places, predictions
from dropforge.contracts.errors import ServiceUnavailable
from dropforge.contracts.latency import BUCKETS, bucket
from dropforge.gcp import access, logs, rest

from .champions import Serving
from .tabled import Backend
from .upstream import Upstream

EVERY = 5.0  # seconds

log = logs.logger("predict")


@dataclass
class _Counts:
    """Of one canary. `written` is monotonic."""

    candidate_id: str
    answered: dict[str, list[int]] = field(default_factory=dict)
    failed: int = 0
    written: float = 0.0


class Tally:
    """The counts of this process, for every pipeline with a canary."""

    def __init__(self, state_bucket: str, upstream: Upstream) -> None:
        self._bucket = state_bucket
        self._upstream = upstream
        self._token = rest.storage_token()
        self._name = f"{access.new_id()}.json"
        self._counts: dict[str, _Counts] = {}
        self._writing: set[asyncio.Task[None]] = set()

    def answered(self, serving: Serving, version: str, seconds: float) -> None:
        """Count one answer of a model."""
        if (counts := self._of(serving)) is not None:
            counts.answered.setdefault(version, [0] * BUCKETS)[bucket(seconds)] += 1
            self._write_soon(serving.champion.pipeline, counts)

    def failed(self, serving: Serving) -> None:
        """Count one try that brought no answer."""
        if (counts := self._of(serving)) is not None:
            counts.failed += 1
            self._write_soon(serving.champion.pipeline, counts)

    def _of(self, serving: Serving) -> _Counts | None:
        if serving.beside is None:
            return None
        candidate_id = serving.beside.candidate.candidate_id
        counts = self._counts.get(serving.champion.pipeline)
        if counts is None or counts.candidate_id != candidate_id:
            counts = self._counts[serving.champion.pipeline] = _Counts(candidate_id)
        return counts

    def _write_soon(self, pipeline: str, counts: _Counts) -> None:
        now = time.monotonic()
        if counts.written and now - counts.written < EVERY:
            return
        counts.written = now
        task = asyncio.create_task(self._write(pipeline, counts))
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)

    async def _write(self, pipeline: str, counts: _Counts) -> None:
        body = orjson.dumps({"answered": counts.answered, "failed": counts.failed})
        place = places.canary_requests(pipeline, counts.candidate_id, self._name)
        try:
            answer = await self._upstream.post(rest.upload_url(self._bucket, place), self._token, body)
        except ServiceUnavailable as error:
            log.warning(f"What was counted of the canary of {pipeline} is not written yet: {error}")
            return
        if answer.status != 200:
            log.warning(f"What was counted of the canary of {pipeline} was refused: {answer.status} {answer.body!r}.")


class Counted:
    """A backend whose answers are counted."""

    def __init__(self, model: Backend, tally: Tally) -> None:
        self._model = model
        self._tally = tally

    async def ask(self, serving: Serving, asked: predictions.Request, body: bytes | None) -> dict[str, Any]:
        """As the backend's."""
        began = time.perf_counter()
        found = await self._model.ask(serving, asked, body)
        self._tally.answered(serving, found.get("modelVersionId", ""), time.perf_counter() - began)
        return found
