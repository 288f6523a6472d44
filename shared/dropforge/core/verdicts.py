"""The judge's words on the candidates of a pipeline."""

from dropforge.contracts import places
from dropforge.contracts.verdicts import ModelVerdict, Reason
from dropforge.core.ports import Objects
from dropforge.core.state import load


def known(state: Objects, pipeline: str, candidate_id: str) -> ModelVerdict | None:
    """What stands of a candidate now; None before it was judged."""
    found = load(state, places.model_verdict(pipeline, candidate_id), ModelVerdict)
    return found[0] if found else None


def put(state: Objects, verdict: ModelVerdict) -> ModelVerdict:
    """Write a verdict over the one that no longer stands. Raises GenerationMismatch where another run just did."""
    place = places.model_verdict(verdict.pipeline, verdict.candidate_id)
    _, generation = load(state, place, ModelVerdict) or (None, 0)
    state.replace(place, verdict.model_dump_json(indent=1).encode(), generation)
    return verdict


def refused(verdict: ModelVerdict, *reasons: Reason) -> ModelVerdict:
    """The verdict turned into a refusal, for further reasons."""
    return verdict.model_copy(update={"status": "refused", "reasons": [*verdict.reasons, *reasons]})
