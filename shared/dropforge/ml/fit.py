"""Fit the artefact: one scikit-learn pipeline that encodes raw columns and predicts."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline as Steps
from threadpoolctl import threadpool_limits

from dropforge.contracts.errors import NotEnoughData
from dropforge.contracts.outcomes import Task
from dropforge.contracts.pipeline import Feature, Pipeline
from dropforge.ml.encoder import Input
from dropforge.ml.recipes import RECIPES, Terms

# Fewer rows than this, or of either class, and neither a fit nor a metric means anything.
LEAST_ROWS = 50
LEAST_OF_A_CLASS = 5
# A model has a set of trees for each class, and an answer a probability of each.
MOST_CLASSES = 100

# Below, a fit takes a fraction of a second, and threads wait for one another longer than they work: with two on two
# cores that others use too, 20,000 rows took 0.56 s, and 0.15 s with one.
THREADS_PAY = 50_000


def inputs(pipeline: Pipeline) -> list[Input]:
    """The features of a pipeline, in its order, with what each column's type makes of it."""
    return [_input(pipeline, feature) for feature in pipeline.features]


def _input(pipeline: Pipeline, feature: Feature) -> Input:
    column = pipeline.column(feature.column)
    if column is None:
        raise ValueError(f"The feature {feature.name!r} names no column of a table in use.")
    if feature.part is not None:
        zone = "UTC" if column.type == "date" else feature.zone  # a date is a day wherever one is
        return Input(feature.name, feature.column, "time", feature.part, zone)
    if column.type == "text":
        return Input(feature.name, feature.column, "text")
    return Input(feature.name, feature.column, "category" if column.type == "category" else "number")


def terms(pipeline: Pipeline, rows: int) -> Terms:
    """What the recipes must know, for so many rows."""
    return Terms(pipeline.label.task, pipeline.success.metric, rows, pipeline.training.seed)


def check_enough(labels: NDArray[Any], what: str, task: Task = "binary", least: int = LEAST_ROWS) -> None:
    """Raises NotEnoughData unless there are `least` rows, and a few of each class, of two classes, or two values."""
    if task != "binary":
        _check_various(labels, what, task, least)
        return
    late = int(np.sum(labels == 1))
    fewer = min(late, len(labels) - late)
    if len(labels) < least or fewer < LEAST_OF_A_CLASS:
        raise NotEnoughData(
            f"Expected at least {least} {what} rows with a label, and {LEAST_OF_A_CLASS} of each class. "
            f"Found {len(labels)} rows, {late} of them positive.",
            rows=len(labels),
            positive=late,
        )


def _check_various(labels: NDArray[Any], what: str, task: Task, least: int) -> None:
    values, counts = np.unique(labels, return_counts=True)
    common = int(np.sum(counts >= LEAST_OF_A_CLASS)) if task == "multiclass" else len(values)
    if len(labels) < least or common < 2:
        each = f", {LEAST_OF_A_CLASS} of each of two classes" if task == "multiclass" else ", and two values"
        raise NotEnoughData(
            f"Expected at least {least} {what} rows with a label{each}. "
            f"Found {len(labels)} rows, of {len(values)} different labels.",
            rows=len(labels),
            different=len(values),
        )
    if task == "multiclass" and len(values) > MOST_CLASSES:
        raise NotEnoughData(
            f"Expected at most {MOST_CLASSES} classes. Found {len(values)} in the {what} rows: is the label's column "
            "a class, or does it name rows?",
            different=len(values),
        )


def fit(
    pipeline: Pipeline,
    columns: Any,
    labels: NDArray[Any],
    kind: str = "boosting",
    weights: NDArray[np.float64] | None = None,
) -> Steps:
    """Fit a `kind` of `RECIPES` on raw columns (name -> array of n_rows) and labels as `rows.labels_of` gives them.

    `weights`, of shape (n_rows,), say how much each row counts; without them all count alike.

    The same rows in the same order give the same artefact, byte for byte, on any number of cores.

    Raises:
        NotEnoughData: too few rows, of one class only, or of more than `MOST_CLASSES`.
    """
    task = pipeline.label.task
    check_enough(labels, "training", task)
    steps = RECIPES[kind](inputs(pipeline), terms(pipeline, len(labels)))
    # A sum in BLAS depends in its last bits on how many threads share it; the booster's do not.
    few = threadpool_limits(1 if len(labels) < THREADS_PAY else None, user_api="openmp")
    with few, threadpool_limits(1, user_api="blas"):
        steps.fit(columns, labels, **({} if weights is None else {"model__sample_weight": weights}))
    if kind.startswith("boosting"):
        # It keeps the number of threads that it was fitted with, and uses it for nothing afterwards.
        steps.named_steps["model"]._bin_mapper.n_threads = None
    return steps
