"""The candidates of a pipeline: trained models, published or not."""

from dataclasses import dataclass
from datetime import datetime

from dropforge.contracts import places
from dropforge.contracts.models import Candidate
from dropforge.core.ports import ObjectInfo, Objects
from dropforge.core.state import load

_RECORD = "candidate.json"


def find(state: Objects, pipeline: str, candidate_id: str) -> Candidate | None:
    """A candidate, or None while it is not (wholly) there."""
    found = load(state, places.candidate(pipeline, candidate_id, _RECORD), Candidate)
    return found[0] if found else None


def newest(state: Objects, pipeline: str) -> Candidate | None:
    """The candidate that was made last. Found by a listing, of which only the last is opened."""
    records = _records(state, pipeline)
    if not records:
        return None
    last = max(records, key=lambda info: (info.metadata.get("created", ""), info.name))
    return Candidate.model_validate_json(state.read(last.name)[0])


@dataclass(frozen=True)
class Made:
    """When a candidate was made, and how many seconds that took."""

    at: datetime
    seconds: float = 0.0


def made(state: Objects, pipeline: str) -> list[Made]:
    """When each candidate was made and what it took, by a listing alone."""
    return [
        Made(datetime.fromisoformat(info.metadata["created"]), float(info.metadata.get("seconds", 0)))
        for info in _records(state, pipeline)
    ]


def listed(state: Objects, pipeline: str) -> list[str]:
    """The ids of all candidates, the oldest first, by a listing alone."""
    made = sorted(_records(state, pipeline), key=lambda info: info.metadata["created"])
    return [info.name.split("/")[2] for info in made]


def _records(state: Objects, pipeline: str) -> list[ObjectInfo]:
    return [info for info in state.list(places.candidates(pipeline)) if info.name.endswith(f"/{_RECORD}")]
