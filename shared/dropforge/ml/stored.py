"""A trained model, read from where `train` put it. Apart from `artefact`, for a model server has no pydantic."""

from typing import Any

from dropforge.contracts import places
from dropforge.contracts.models import Candidate, Champion
from dropforge.core.ports import Objects
from dropforge.ml import artefact


def model(state: Objects, of: Candidate | Champion) -> Any:
    """The artefact of a candidate, unpickled only if it is the one that its record names.

    Raises:
        NotFound, ArtefactTampered: it is gone, or another lies there.
    """
    content, _ = state.read(places.candidate(of.pipeline, of.candidate_id, "model.joblib"))
    return artefact.load(content, of.artefact_sha256)
