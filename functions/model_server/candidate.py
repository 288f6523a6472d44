"""The candidate that this server is for: fetched, checked against the registry's digests, and tried once."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from threading import Thread
from typing import Any

from dropforge.contracts.errors import ArtefactTampered, FileUnreadable, SettingsInvalid
from dropforge.contracts.instances import Signature
from dropforge.contracts.outcomes import Given
from dropforge.contracts.served import ServedCandidate
from dropforge.core import compiled
from dropforge.core.respond import Explain
from dropforge.gcp import rest

Predict = Callable[[Sequence[dict[str, Any]]], Sequence[Given]]


@dataclass(frozen=True)
class Loaded:
    """A candidate that has predicted. `seconds` says what its start took, `by` what predicts, and why."""

    candidate: ServedCandidate
    signature: Signature
    predict: Predict
    explain: Explain | None
    by: str
    seconds: Mapping[str, float]


def load(environment: Mapping[str, str]) -> Loaded:
    """Load from the folder `AIP_STORAGE_URI`: the compiled predictor where the registry names one, else the artefact.

    Raises:
        SettingsInvalid: a variable is missing.
        ArtefactTampered: what lies there has not the digest that the registry gave for it.
        FileUnreadable: `candidate.json` is none, or the model does not predict.
    """
    began = time.monotonic()
    folder = _needed(environment, "AIP_STORAGE_URI", "the gs:// folder of the candidate").rstrip("/")
    digest = _needed(environment, "DROPFORGE_MODEL_SHA256", "the digest of the artefact in the registry")
    token = rest.storage_token()
    record = f"{folder}/candidate.json"
    candidate = ServedCandidate.read(rest.read(record, token), record)
    if candidate.artefact_sha256 != digest:
        raise ArtefactTampered(
            f"{record} names the artefact {candidate.artefact_sha256}. The registry expects {digest}."
        )
    predict: Predict
    explain: Explain | None = None
    form: compiled.Predictor | None = None
    compiled_digest = environment.get("DROPFORGE_COMPILED_SHA256")
    if compiled_digest:
        content = rest.read(f"{folder}/predictor.json", token)
        form = compiled.load(content, compiled_digest)
        predict, explain, by = form.predict, form.explain, "compiled"
    else:
        content = rest.read(f"{folder}/model.joblib", token)
        predict, by = _scikit_learn(content, digest), f"scikit-learn. {candidate.compiled_because}".strip()
    signature = Signature(candidate.signature)
    loaded = time.monotonic()
    _try(candidate, signature, predict)
    if form is not None:
        Thread(target=form.hasten, daemon=True).start()  # beside the first answers
    seconds = {"load": round(loaded - began, 3), "first": round(time.monotonic() - loaded, 3)}
    return Loaded(candidate, signature, predict, explain, by, seconds)


def _scikit_learn(content: bytes, digest: str) -> Predict:
    from dropforge.ml import artefact, serving  # takes a second to import, and most candidates need none of it

    model = artefact.load(content, digest)
    return lambda instances: serving.predict(model, instances)


def _try(candidate: ServedCandidate, signature: Signature, predict: Predict) -> None:
    """A real prediction before anyone is told that this server is ready."""
    (found,) = predict([signature.example()])
    if not candidate.outcome.sound(found):
        wanted = "a finite number" if candidate.task == "regression" else "probabilities from 0 to 1"
        raise FileUnreadable(f"Expected the candidate {candidate.candidate_id} to give {wanted}. Found {found}.")


def _needed(environment: Mapping[str, str], name: str, what: str) -> str:
    value = environment.get(name)
    if not value:
        raise SettingsInvalid(f"Expected {what} in {name}. Found nothing.")
    return value
