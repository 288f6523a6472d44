"""The canary beside a champion, as the state bucket tells of it."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dropforge.contracts import places
from dropforge.contracts.errors import FileUnreadable, ServiceUnavailable
from dropforge.contracts.served import ServedCanary, ServedCandidate, ServedChampion
from dropforge.gcp import logs

if TYPE_CHECKING:
    from .champions import Serving

Read = Callable[[str], Awaitable[bytes | None]]

log = logs.logger("predict")


@dataclass(frozen=True)
class Beside:
    """A version that answers `share` percent of the requests, and its record."""

    version: ServedChampion
    candidate: ServedCandidate
    share: int

    def has_its_turn(self) -> bool:
        """Whether it answers this request."""
        return random.random() * 100 < self.share


def uncounted(_: Serving) -> None:
    """What is done about a failed try where nobody counts."""


async def beside(champion: ServedChampion, known: Serving | None, read: Read) -> Beside | None:
    """The canary beside a champion; None where there is none, or none that can be read: the champion answers then."""
    try:
        return await _read(champion, known, read)
    except (ServiceUnavailable, FileUnreadable) as error:
        log.warning(f"The canary of {champion.pipeline} cannot be read: {error}")
        return None


async def _read(champion: ServedChampion, known: Serving | None, read: Read) -> Beside | None:
    place = places.canary(champion.pipeline)
    content = await read(place)
    canary = ServedCanary.read(content, place) if content else None
    if canary is None or canary.status != "baking" or canary.champion_id != champion.candidate_id:
        return None
    before = known.beside if known else None
    if before is not None and before.candidate.candidate_id == canary.candidate_id:
        candidate = before.candidate
    else:
        record = places.candidate(champion.pipeline, canary.candidate_id, "candidate.json")
        candidate = ServedCandidate.read(await read(record) or b"", record)
    version = ServedChampion(
        pipeline=champion.pipeline,
        candidate_id=canary.candidate_id,
        version=canary.version,
        model=canary.model,
        endpoint=champion.endpoint,
        deployed_model_id=champion.deployed_model_id,
        artefact_sha256=candidate.artefact_sha256,
        trained_until="",
        published=canary.began,
    )
    return Beside(version, candidate, canary.shares[canary.step])
