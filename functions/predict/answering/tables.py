"""The lookup files of champions: fetched once, checked, and mapped into memory from the disk of this instance."""

import asyncio
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from dropforge.contracts import places
from dropforge.contracts.answers import Answers
from dropforge.contracts.errors import ArtefactTampered, FileUnreadable, ServiceUnavailable
from dropforge.contracts.instances import Signature
from dropforge.core.serving.identity import Identity
from dropforge.core.serving.lookup import Lookup, checked
from dropforge.gcp import logs

from .champions import FRESH_FOR, Champions, Serving

_MOST_TABLES = 50  # open at once

Which = tuple[str, str]

log = logs.logger("predict")


def identity(serving: Serving) -> Which:
    """Pipeline and candidate: whose answers these are."""
    return serving.champion.pipeline, serving.champion.candidate_id


@dataclass(frozen=True)
class Table:
    """An open lookup file, and how rows and keys are named in it."""

    mode: str
    lookup: Lookup
    key: Signature
    by_features: Identity
    by_key: Identity


class Tables:
    """The open lookup files, by pipeline and candidate; so one model's answers are never given for another's."""

    def __init__(self, champions: Champions) -> None:
        self._champions = champions
        self._open: dict[Which, Table] = {}
        self._none_at: dict[Which, float] = {}  # when none was there, monotonic
        self._one_at_a_time = asyncio.Lock()

    async def of(self, serving: Serving) -> Table | None:
        """The champion's table, or None where there is none, or none yet; that is asked again after `FRESH_FOR`."""
        which = identity(serving)
        known = self._open.get(which)
        if known is not None or time.monotonic() - self._none_at.get(which, -FRESH_FOR) < FRESH_FOR:
            return known
        async with self._one_at_a_time:
            if which not in self._open:
                self._keep(which, await self._read(serving))
        return self._open.get(which)

    def _keep(self, which: Which, found: Table | None) -> None:
        if found is None:
            self._none_at[which] = time.monotonic()
        else:
            self._none_at.pop(which, None)
            self._open[which] = found
        for kept in (self._open, self._none_at):
            if len(kept) > _MOST_TABLES:
                del kept[next(iter(kept))]  # the oldest

    async def _read(self, serving: Serving) -> Table | None:
        pipeline, candidate = serving.champion.pipeline, serving.champion.candidate_id
        record = places.answers(pipeline, candidate, "answers.json")
        try:
            content = await self._champions.content_if_there(record)
            if content is None:
                return None
            said = Answers.read(content, record)
            body = await self._champions.content(places.answers(pipeline, candidate, f"{said.sha256}.lookup"))
            found = await asyncio.to_thread(_opened, body, said.sha256)
        except (ServiceUnavailable, FileUnreadable, ArtefactTampered) as error:
            log.warning(f"The answers in advance for {candidate} are not used: {error}")
            return None
        by_features = Identity("features", serving.candidate.signature)
        return Table(said.mode, found, Signature(said.key), by_features, Identity("key", said.key))


def _opened(content: bytes, digest: str) -> Lookup:
    with tempfile.TemporaryDirectory(prefix="dropforge-lookup-") as folder:
        path = Path(folder) / "lookup"
        path.write_bytes(checked(content, digest))
        return Lookup(path)
