"""The model card: one HTML page that says of a version what it is for, what it was made from, and how good it is.

Mitchell et al., "Model Cards for Model Reporting", FAT* 2019. The page needs nothing beside itself, so that it can be
kept, sent and printed.
"""

from importlib.resources import files
from statistics import NormalDist
from typing import Any

import numpy as np
import pyarrow as pa
from jinja2 import Environment, StrictUndefined
from numpy.typing import NDArray

from dropforge.contracts import places
from dropforge.contracts.models import Candidate
from dropforge.contracts.pipeline import Pipeline
from dropforge.contracts.pipeline.success import METRICS_OF
from dropforge.core.catalogue import Model
from dropforge.core.ports import Objects
from dropforge.ml import artefact, calibration, publishing, score
from dropforge.ml.importance import importance
from dropforge.ml.paired import own_error
from dropforge.ml.rows import coded, columns_of, given_of, labels_of

_WIDTH = NormalDist().inv_cdf(0.975)


def card(pipeline: Pipeline, model: Model, state: Objects) -> str:
    """The page of one candidate; everything on it is read from the state bucket, or measured on its holdout rows."""
    candidate = model.candidate
    rows = publishing.holdout_rows(state, candidate)
    labels, given = coded(labels_of(rows), candidate.classes), given_of(rows)
    content, _ = state.read(places.candidate(candidate.pipeline, candidate.candidate_id, "model.joblib"))
    fitted = artefact.load(content, candidate.artefact_sha256)
    names = [field.name for field in candidate.signature]
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string(files("dropforge.ml").joinpath("card.html").read_text("utf-8"))
    return template.render(
        pipeline=pipeline,
        model=model,
        candidate=candidate,
        metric=pipeline.success.metric,
        overall=_overall(candidate, labels, given),
        measured=_measured(pipeline, rows, labels, given),
        bins=calibration.reliability(*calibration.comparable(labels, given)),
        calibration_error=calibration.calibration_error(*calibration.comparable(labels, given)),
        importance=importance(fitted, columns_of(rows), labels, names, pipeline.success.metric, pipeline.training.seed),
    )


def _overall(candidate: Candidate, labels: NDArray[Any], given: score.Floats) -> list[dict[str, object]]:
    """Every metric of the task with its 95 % interval, over all rows."""
    found = [(metric, _interval(metric, labels, given)) for metric in METRICS_OF[candidate.task]]
    return [{"metric": metric, **interval} for metric, interval in found if interval is not None]


def _measured(pipeline: Pipeline, rows: pa.Table, labels: NDArray[Any], given: score.Floats) -> list[dict[str, object]]:
    """The pipeline's metric with its 95 % interval, overall and in each slice."""
    columns = {column: rows[column].to_pylist() for column in pipeline.slices}
    masks = [(score.ALL, np.ones(len(labels), dtype=bool)), *score.slices(columns, pipeline.slices)]
    found: list[dict[str, object]] = []
    for name, mask in masks:
        interval = _interval(pipeline.success.metric, labels[mask], given[mask])
        if interval is not None:
            found.append({"slice": name, "rows": int(mask.sum()), **interval})
    return found


def _interval(metric: str, labels: NDArray[Any], given: score.Floats) -> dict[str, object] | None:
    error, value = own_error(metric, labels, given), score.METRICS[metric](labels, given)
    if error is None or np.isnan(value):
        return None
    return {"value": value, "low": value - _WIDTH * error, "high": value + _WIDTH * error}
