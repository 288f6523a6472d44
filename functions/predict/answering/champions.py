"""Which model serves each pipeline, read from the champion pointer in the state bucket.

**How stale.** The pointer is read again once it is `FRESH_FOR` seconds old, and at once when the endpoint no longer
has the model. So requests are checked against a signature that was the champion's at most that long ago. What answers
is decided by the endpoint itself, and the answer names the version that gave it. While the state bucket cannot be
read, the last pointer is used, however old.
"""

import asyncio
import time
from dataclasses import dataclass

from dropforge.contracts import places
from dropforge.contracts.errors import NotFound, ServiceUnavailable
from dropforge.contracts.instances import Signature
from dropforge.contracts.served import ServedCandidate, ServedChampion
from dropforge.gcp import logs, rest

from .beside import Beside, beside
from .upstream import Upstream

FRESH_FOR = 5.0  # seconds
_MOST_PIPELINES = 1000  # known at once; a name that is not a pipeline's is not kept

log = logs.logger("predict")


@dataclass(frozen=True)
class Serving:
    """The champion, what it takes, and the canary beside it. `read_at` is monotonic."""

    champion: ServedChampion
    candidate: ServedCandidate
    signature: Signature
    read_at: float
    beside: Beside | None = None

    @property
    def fresh(self) -> bool:
        """Whether the pointer was read lately."""
        return time.monotonic() - self.read_at < FRESH_FOR

    def candidate_of(self, version: str) -> str:
        """The id of the candidate that is this version; empty where it is neither the champion's nor the canary's."""
        known = [self.champion] if self.beside is None else [self.champion, self.beside.version]
        return next((one.candidate_id for one in known if one.version == version), "")


class Champions:
    """The champions of all pipelines that were asked for."""

    def __init__(self, bucket: str, upstream: Upstream) -> None:
        self._bucket = bucket
        self._upstream = upstream
        self._token = rest.storage_token()
        self._known: dict[str, Serving] = {}
        self._reading: dict[str, asyncio.Lock] = {}

    async def of(self, pipeline: str) -> Serving:
        """The champion of a pipeline.

        Raises:
            NotFound: the pipeline is not deployed, or has no published model yet.
            ServiceUnavailable: the state bucket cannot be read, and never was.
        """
        known = self._known.get(pipeline)
        return known if known is not None and known.fresh else await self._read_once(pipeline, known)

    async def newer(self, than: Serving) -> Serving | None:
        """The champion, if the pointer has moved since `than` was read."""
        found = await self._read_once(than.champion.pipeline, than)
        return found if found.champion != than.champion else None

    async def content(self, place: str) -> bytes:
        """An object of the state bucket. Raises ServiceUnavailable, also where it is not there."""
        content = await self._object(place)
        if content is None:
            raise ServiceUnavailable(f"gs://{self._bucket}/{place} is not there.", object=place)
        return content

    async def content_if_there(self, place: str) -> bytes | None:
        """An object of the state bucket, or None. Raises ServiceUnavailable."""
        return await self._object(place)

    async def reachable(self) -> bool:
        """Whether the state bucket answers now."""
        try:
            answer = await self._upstream.get(rest.object_url(self._bucket, "pipelines/"), self._token)
        except ServiceUnavailable:
            return False
        return answer.status in (200, 404)

    async def _read_once(self, pipeline: str, seen: Serving | None) -> Serving:
        """Read the pointer, once for all requests that wait for it."""
        async with self._reading.setdefault(pipeline, asyncio.Lock()):
            known = self._known.get(pipeline)
            if known is not None and known is not seen:
                return known  # another request read it meanwhile
            try:
                found = await self._read(pipeline, known)
            except ServiceUnavailable as error:
                if known is None:
                    raise
                log.warning(f"The champion of {pipeline} is used unchecked: {error}")
                return known
            except NotFound:
                self._known.pop(pipeline, None)
                self._reading.pop(pipeline, None)
                raise
            if len(self._known) < _MOST_PIPELINES:
                self._known[pipeline] = found
            return found

    async def _read(self, pipeline: str, known: Serving | None) -> Serving:
        now = time.monotonic()
        pointer = places.champion(pipeline)
        content = await self._object(pointer)
        if content is None:
            raise NotFound(await self._why_none(pipeline), pipeline=pipeline)
        champion = ServedChampion.read(content, pointer)
        canary = await beside(champion, known, self._object)
        if known is not None and known.champion.candidate_id == champion.candidate_id:
            return Serving(champion, known.candidate, known.signature, now, canary)
        record = places.candidate(pipeline, champion.candidate_id, "candidate.json")
        candidate = ServedCandidate.read(await self._object(record) or b"", record)
        return Serving(champion, candidate, Signature(candidate.signature), now, canary)

    async def _why_none(self, pipeline: str) -> str:
        if await self._object(places.pipeline_yaml(pipeline)) is None:
            return f"The pipeline {pipeline!r} is not deployed."
        return f"The pipeline {pipeline!r} has no published model yet."

    async def _object(self, name: str) -> bytes | None:
        answer = await self._upstream.get(rest.object_url(self._bucket, name), self._token)
        if answer.status == 404:
            return None
        if answer.status != 200:
            raise ServiceUnavailable(f"gs://{self._bucket}/{name}: {answer.status} {answer.body[:200]!r}.")
        return answer.body
