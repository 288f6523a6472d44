"""The history of what served: one object for every move of the champion pointer, named by the pointer's generation.

A generation belongs to one move, also where one model is published twice, and generations grow; so the entries lie in
order, a repeat writes nothing, and an entry can be made from the pointer alone whenever a crash left it out.
"""

from collections.abc import Iterator
from datetime import datetime

from dropforge.contracts import places
from dropforge.contracts.models import Champion, HistoryEntry
from dropforge.core.ports import Objects
from dropforge.core.state import create_once


def record(state: Objects, champion: Champion, generation: int) -> HistoryEntry:
    """Ensure the entry of one move of the pointer."""
    entry = HistoryEntry(
        at=champion.published,
        action=champion.action,
        candidate_id=champion.candidate_id,
        version=champion.version,
        replaced=champion.replaced,
        by=champion.published_by,
        reason=champion.reason,
    )
    listed = {"at": entry.at, "action": entry.action, "candidate": entry.candidate_id, "version": entry.version}
    return create_once(state, places.history(champion.pipeline, f"{generation:020d}.json"), entry, listed)


def entries(state: Objects, pipeline: str) -> Iterator[HistoryEntry]:
    """Every change of what serves, the first one first."""
    for info in state.list(places.history(pipeline)):
        yield HistoryEntry.model_validate_json(state.read(info.name)[0])


def served_at(state: Objects, pipeline: str, at: datetime) -> HistoryEntry | None:
    """The change that decided what served at a moment (with a time zone); None before the first."""
    found = None
    for entry in entries(state, pipeline):
        if datetime.fromisoformat(entry.at) <= at:
            found = entry
    return found


def publication(state: Objects, pipeline: str, candidate_id: str) -> HistoryEntry | None:
    """The newest publication of a candidate, or None if it never served."""
    found = None
    for info in state.list(places.history(pipeline)):
        if info.metadata.get("candidate") == candidate_id and info.metadata.get("action") == "published":
            found = HistoryEntry.model_validate_json(state.read(info.name)[0])
    return found
