"""The model card: one HTML page that says of a version what it is for, what it was made from, and how good it is.

Mitchell et al., "Model Cards for Model Reporting", FAT* 2019. The page needs nothing beside itself, so that it can be
kept, sent and printed.
"""

from importlib.resources import files
from statistics import NormalDist

import numpy as np
import pyarrow as pa
from jinja2 import Environment, StrictUndefined

from dropforge.contracts import places
from dropforge.contracts.pipeline import Pipeline
from dropforge.core.catalogue import Model
from dropforge.core.ports import Objects
from dropforge.ml import artefact, calibration, publishing, score
from dropforge.ml.importance import importance
from dropforge.ml.paired import own_error
from dropforge.ml.rows import PROBABILITY, columns_of, labels_of

_WIDTH = NormalDist().inv_cdf(0.975)


def card(pipeline: Pipeline, model: Model, state: Objects) -> str:
    """The page of one candidate; everything on it is read from the state bucket, or measured on its holdout rows."""
    candidate = model.candidate
    rows = publishing.holdout_rows(state, candidate)
    labels, given = labels_of(rows), rows[PROBABILITY].to_numpy()
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
        measured=_measured(pipeline, rows, pipeline.success.metric),
        bins=calibration.reliability(labels, given),
        calibration_error=calibration.calibration_error(labels, given),
        importance=importance(fitted, columns_of(rows), labels, names, pipeline.success.metric, pipeline.training.seed),
    )


def _measured(pipeline: Pipeline, rows: pa.Table, metric: str) -> list[dict[str, object]]:
    """The metric with its 95 % interval, overall and in each slice."""
    labels, given = labels_of(rows), rows[PROBABILITY].to_numpy()
    columns = {column: rows[column].to_pylist() for column in pipeline.slices}
    masks = [(score.ALL, np.ones(len(labels), dtype=bool)), *score.slices(columns, pipeline.slices)]
    found: list[dict[str, object]] = []
    for name, mask in masks:
        error = own_error(metric, labels[mask], given[mask])
        value = score.METRICS[metric](labels[mask], given[mask])
        if error is not None and not np.isnan(value):
            low, high = value - _WIDTH * error, value + _WIDTH * error
            found.append({"slice": name, "rows": int(mask.sum()), "value": value, "low": low, "high": high})
    return found
