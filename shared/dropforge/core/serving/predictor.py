"""The compiled form of a candidate, as it was stored beside its artefact."""

from dropforge.contracts import places
from dropforge.contracts.models import Candidate
from dropforge.core import compiled
from dropforge.core.ports import Objects


def of(candidate: Candidate, state: Objects) -> compiled.Predictor:
    """The compiled form of a candidate that has one.

    Raises:
        ArtefactTampered: what is stored is not what was derived from it.
        NotFound: it has none.
    """
    content, _ = state.read(places.candidate(candidate.pipeline, candidate.candidate_id, "predictor.json"))
    return compiled.load(content, candidate.compiled_sha256 or "")
