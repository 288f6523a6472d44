"""Fit the artefact: one scikit-learn pipeline that encodes raw columns and predicts."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline as Steps
from threadpoolctl import threadpool_limits

from dropforge.contracts.errors import NotEnoughData
from dropforge.contracts.pipeline import Feature, Pipeline
from dropforge.ml.encoder import Input
from dropforge.ml.recipes import RECIPES

# Fewer rows than this, or of either class, and neither a fit nor a metric means anything.
LEAST_ROWS = 50
LEAST_OF_A_CLASS = 5

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


def check_enough(labels: NDArray[Any], what: str, least: int = LEAST_ROWS) -> None:
    """Raises NotEnoughData unless there are `least` rows, and a few of each class."""
    late = int(np.sum(labels == 1))
    fewer = min(late, len(labels) - late)
    if len(labels) < least or fewer < LEAST_OF_A_CLASS:
        raise NotEnoughData(
            f"Expected at least {least} {what} rows with a label, and {LEAST_OF_A_CLASS} of each class. "
            f"Found {len(labels)} rows, {late} of them positive.",
            rows=len(labels),
            positive=late,
        )


def fit(pipeline: Pipeline, columns: Any, labels: NDArray[np.int8], kind: str = "boosting") -> Steps:
    """Fit a `kind` of `RECIPES` on raw columns (name -> array of n_rows) and labels of shape (n_rows,), 0 or 1.

    The same rows in the same order give the same artefact, byte for byte, on any number of cores.

    Raises:
        NotEnoughData: too few rows, or of one class only.
    """
    check_enough(labels, "training")
    steps = RECIPES[kind](inputs(pipeline), len(labels), pipeline.training.seed)
    # A sum in BLAS depends in its last bits on how many threads share it; the booster's do not.
    few = threadpool_limits(1 if len(labels) < THREADS_PAY else None, user_api="openmp")
    with few, threadpool_limits(1, user_api="blas"):
        steps.fit(columns, labels)
    if kind == "boosting":  # it keeps the number of threads that it was fitted with, and uses it for nothing afterwards
        steps.named_steps["model"]._bin_mapper.n_threads = None
    return steps
