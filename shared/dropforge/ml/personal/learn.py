"""From labelled rows to corrections: the common model's scores of rows that it has not seen, and each entity's offsets.

What a model says of its own training rows is nearly right by memory, and would leave nothing to correct. So each third
of the rows, in the order of time, is scored by a model of the other two (cross-fitting, as in stacked generalisation:
Wolpert, Neural Networks 5 (1992)), and corrections are fitted to that.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline as Steps
from threadpoolctl import threadpool_limits

from dropforge.contracts.errors import NotEnoughData
from dropforge.contracts.pipeline import Pipeline
from dropforge.core.compiled import Offsets
from dropforge.ml import calibrate, fit, serving
from dropforge.ml.calibrate import Correction
from dropforge.ml.encoder import Encoder
from dropforge.ml.personal.correction import Plan, Rows, fitted
from dropforge.ml.personal.model import Numbers, PersonalClasses, PersonalNumbers, by_entity
from dropforge.ml.personal.raw import Floats, raw
from dropforge.ml.rows import coded, columns_of, labels_of, weights_of

PARTS = 3
LEAST_ROWS = 20  # of an entity, before it has a correction
MOST_ENTITIES = 2_000  # those with the most rows: an artefact must not grow with every user


@dataclass(frozen=True)
class Material:
    """All that corrections are fitted to: scores that rows had no part in, NaN where there is none; labels as numbers;
    scaled features; and where each entity's rows are."""

    scores: Floats
    numbers: Floats
    labels: NDArray[Any]
    places: Mapping[str, NDArray[np.int64]]


def common(pipeline: Pipeline, rows: pa.Table, kind: str, correction: Correction | None) -> Steps:
    """The model of everybody.

    Raises:
        NotEnoughData: too few rows, or of one class only.
    """
    model = fit.fit(pipeline, columns_of(rows), labels_of(rows), kind, weights_of(rows))
    return calibrate.corrected(model, correction) if correction else model


def material(
    pipeline: Pipeline, rows: pa.Table, kind: str, correction: Correction | None, numbers: Numbers, classes: list[str]
) -> Material:
    """What corrections over a model of `classes` are fitted to.

    A part has no scores where the others lack a class, or are too few to learn from.
    """
    found = np.full((rows.num_rows, len(classes) if len(classes) > 2 else 1), np.nan)
    for place in np.array_split(np.arange(rows.num_rows), PARTS):
        others = np.delete(np.arange(rows.num_rows), place)
        try:
            model = common(pipeline, rows.take(pa.array(others)), kind, correction)
        except NotEnoughData:
            continue
        if serving.classes(model) == classes:
            found[place] = raw(model, columns_of(rows.take(pa.array(place))))
    labels = coded(labels_of(rows), classes)
    columns = columns_of(rows)
    known = np.isfinite(found).all(axis=1) & ((labels >= 0) if classes else np.ones(len(labels), dtype=bool))
    places = {name: where[known[where]] for name, where in by_entity(columns[per(pipeline)]).items()}
    return Material(found, numbers.transform(columns), labels, places)


def per(pipeline: Pipeline) -> str:
    """The column whose values are the entities."""
    column = pipeline.training.per
    if column is None:
        raise ValueError(f"The pipeline {pipeline.pipeline!r} has no 'per'.")
    return column


def offsets(pipeline: Pipeline, given: Material, plan: Plan) -> dict[str, Offsets]:
    """The correction of each entity with enough rows, by name."""
    often = sorted(given.places, key=lambda name: (-len(given.places[name]), name))[:MOST_ENTITIES]
    task, scale = pipeline.label.task, _scale(pipeline, given)
    with threadpool_limits(1, user_api="blas"):  # as in `fit`: the last bits depend on the number of threads
        return {
            name: fitted(task, _rows(given, given.places[name]), plan, scale)
            for name in sorted(often)
            if len(given.places[name]) >= LEAST_ROWS
        }


def _rows(given: Material, where: NDArray[np.int64]) -> Rows:
    return Rows(given.scores[where], given.numbers[where], given.labels[where])


def _scale(pipeline: Pipeline, given: Material) -> float:
    """The mean squared error of the common model, for numbers: so that a penalty means the same in any unit."""
    if pipeline.label.task != "regression":
        return 1.0
    known = np.isfinite(given.scores[:, 0])
    found = float(np.mean((given.scores[known, 0] - given.labels[known]) ** 2)) if known.any() else 0.0
    return found if found > 0 else 1.0


def numbers_of(pipeline: Pipeline, rows: pa.Table) -> Numbers:
    """What reads the numeric features."""
    return Numbers(Encoder([each for each in fit.inputs(pipeline) if each.kind == "number"])).fit(columns_of(rows))


def personal(pipeline: Pipeline, model: Steps, numbers: Numbers, entities: dict[str, Offsets]) -> Any:
    """The artefact."""
    kind = PersonalNumbers if pipeline.label.task == "regression" else PersonalClasses
    return kind(model, numbers, per(pipeline), entities)
