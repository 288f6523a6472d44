"""What a person asks about the models of a pipeline: which there are, what made one, how two differ."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from dropforge.contracts import places
from dropforge.contracts.errors import ActionRefused
from dropforge.contracts.models import Candidate, HistoryEntry
from dropforge.contracts.verdicts import ModelVerdict
from dropforge.core import candidates, champion, history
from dropforge.core.ports import Objects
from dropforge.core.state import load


@dataclass(frozen=True)
class Model:
    """A candidate and what became of it. `version` is empty, and `served` too, where it never served."""

    candidate: Candidate
    verdict: ModelVerdict | None
    version: str
    served: list[HistoryEntry]
    serves: bool


def models(state: Objects, pipeline: str) -> list[Model]:
    """Every candidate of a pipeline, the oldest first."""
    past = list(history.entries(state, pipeline))
    found = [_model(state, candidate, past) for candidate in _all(state, pipeline)]
    return sorted(found, key=lambda model: model.candidate.created)


def find(state: Objects, pipeline: str, named: str) -> Model:
    """The model of a version, or of a candidate's id or the beginning of it, at least six digits.

    Raises:
        ActionRefused: there is none, or more than one; the message lists the versions that served.
    """
    past = list(history.entries(state, pipeline))
    candidate_id = next((entry.candidate_id for entry in past if entry.version == named), named)
    candidate = candidates.find(state, pipeline, candidate_id) or _beginning(state, pipeline, named)
    if candidate is None:
        known = ", ".join(sorted({entry.version for entry in past}, key=int)) or "none"
        raise ActionRefused(
            f"{pipeline} has no version or candidate {named!r}. Versions that served: {known}.", pipeline=pipeline
        )
    return _model(state, candidate, past)


def differences(first: Candidate, second: Candidate) -> dict[str, tuple[object, object]]:
    """What differs between two models: name -> (of the first, of the second). Batches are told by their files."""
    facts = [_facts(candidate) for candidate in (first, second)]
    names = [*facts[0], *(name for name in facts[1] if name not in facts[0])]
    pairs = {name: (facts[0].get(name), facts[1].get(name)) for name in names}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def _facts(candidate: Candidate) -> dict[str, object]:
    lineage = candidate.lineage
    rows: Counter[str] = Counter()  # a file that was replayed has several batches
    for batch in lineage.batches:
        rows[f"{batch.table} {batch.source.uri}#{batch.source.generation}"] += batch.rows
    facts: dict[str, object] = {file: f"{count:,} rows" for file, count in rows.items()}
    facts |= lineage.model_dump(exclude={"batches", "libraries", "asked_by", "because"})
    facts |= {f"library {name}": version for name, version in lineage.libraries.items()}
    facts |= {f"{metric} of all": value for metric, value in candidate.metrics.get("all", {}).items()}
    facts["signature"] = [field.model_dump(exclude_none=True) for field in candidate.signature]
    facts["artefact_sha256"] = candidate.artefact_sha256
    return facts


def _beginning(state: Objects, pipeline: str, named: str) -> Candidate | None:
    """The only candidate whose id begins so."""
    if len(named) < 6:
        return None
    place = places.candidate(pipeline, named).removesuffix("/")
    found = [info.name for info in state.list(place) if info.name.endswith("/candidate.json")]
    return Candidate.model_validate_json(state.read(found[0])[0]) if len(found) == 1 else None


def _all(state: Objects, pipeline: str) -> Iterator[Candidate]:
    for info in state.list(places.candidates(pipeline)):
        if info.name.endswith("/candidate.json"):
            yield Candidate.model_validate_json(state.read(info.name)[0])


def _model(state: Objects, candidate: Candidate, past: list[HistoryEntry]) -> Model:
    now, _ = champion.current(state, candidate.pipeline)
    verdict = load(state, places.model_verdict(candidate.pipeline, candidate.candidate_id), ModelVerdict)
    served = [entry for entry in past if entry.candidate_id == candidate.candidate_id]
    return Model(
        candidate=candidate,
        verdict=verdict[0] if verdict else None,
        version=served[-1].version if served else "",
        served=served,
        serves=now is not None and now.candidate_id == candidate.candidate_id,
    )
