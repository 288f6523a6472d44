"""The candidate that this server is for: fetched, checked against the registry's digest, and tried once."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from dropforge.contracts.errors import ArtefactTampered, FileUnreadable, SettingsInvalid
from dropforge.contracts.instances import Signature
from dropforge.contracts.models import Candidate
from dropforge.gcp import rest
from dropforge.ml import artefact, serving


@dataclass(frozen=True)
class Loaded:
    """A candidate that has predicted. `seconds` says what its start took."""

    candidate: Candidate
    signature: Signature
    model: Any
    seconds: Mapping[str, float]

    def probabilities(self, instances: list[dict[str, Any]]) -> list[float]:
        """The probability of the positive class for each instance."""
        return serving.predict(self.model, instances)


def load(environment: Mapping[str, str]) -> Loaded:
    """Load from `AIP_STORAGE_URI`, a folder with `candidate.json` and `model.joblib`.

    Raises:
        SettingsInvalid: a variable is missing.
        ArtefactTampered: the artefact, or what is said of it, has not the digest in `DROPFORGE_MODEL_SHA256`.
        FileUnreadable: `candidate.json` is none, or the model does not predict.
    """
    began = time.monotonic()
    folder = _needed(environment, "AIP_STORAGE_URI", "the gs:// folder of the candidate").rstrip("/")
    digest = _needed(environment, "DROPFORGE_MODEL_SHA256", "the digest of the artefact in the registry")
    token = rest.storage_token()
    candidate = _candidate(rest.read(f"{folder}/candidate.json", token), folder)
    if candidate.artefact_sha256 != digest:
        raise ArtefactTampered(
            f"{folder}/candidate.json names the artefact {candidate.artefact_sha256}. The registry expects {digest}."
        )
    content = rest.read(f"{folder}/model.joblib", token)
    fetched = time.monotonic()
    loaded = Loaded(candidate, Signature(candidate.signature), artefact.load(content, digest), {})
    unpickled = time.monotonic()
    _try(loaded)
    seconds = {"fetch": fetched - began, "load": unpickled - fetched, "first": time.monotonic() - unpickled}
    return Loaded(candidate, loaded.signature, loaded.model, {step: round(took, 3) for step, took in seconds.items()})


def _candidate(content: bytes, folder: str) -> Candidate:
    try:
        return Candidate.model_validate_json(content)
    except ValidationError as error:
        raise FileUnreadable(f"{folder}/candidate.json is no candidate: {error}") from error


def _try(loaded: Loaded) -> None:
    """A real prediction before anyone is told that this server is ready."""
    (found,) = loaded.probabilities([loaded.signature.example()])
    if not 0 <= found <= 1:
        raise FileUnreadable(
            f"Expected the candidate {loaded.candidate.candidate_id} to give a probability from 0 to 1. Found {found}."
        )


def _needed(environment: Mapping[str, str], name: str, what: str) -> str:
    value = environment.get(name)
    if not value:
        raise SettingsInvalid(f"Expected {what} in {name}. Found nothing.")
    return value
