"""How good a model is, by what it gave for rows whose label is known: overall and for each slice.

Labels and what was given have the shape (n_rows,): 0 or 1 and the probability of 1; or numbers and values. Of more
classes than two, labels are codes, -1 for a class that the model does not know, and what was given has the shape
(n_rows, n_classes).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from dropforge.contracts.outcomes import Task
from dropforge.contracts.pipeline.success import METRICS_OF
from dropforge.ml import serving
from dropforge.ml.rows import coded, columns_of, labelled, labels_of

Floats = NDArray[np.float64]

ALL = "all"
HIGHER_IS_BETTER = {
    "roc_auc": True,
    "log_loss": False,
    "brier": False,
    "accuracy": True,
    "macro_f1": True,
    "rmse": False,
    "mae": False,
    "r2": True,
}


def roc_auc(labels: NDArray[Any], given: Floats) -> float:
    """The chance that a positive row is given more than a negative one, ties counting half; NaN with one class.

    Of more classes than two, the mean over those that occur, each against the rest.

    >>> roc_auc(np.array([0, 1, 1]), np.array([0.2, 0.2, 0.9]))
    0.75
    """
    if given.ndim == 2:
        areas = [roc_auc(labels == code, given[:, code]) for code in np.unique(labels[labels >= 0])]
        return float(np.mean(areas)) if areas else float("nan")
    positive = labels == 1
    n_positive, n_negative = int(positive.sum()), int((~positive).sum())
    if not n_positive or not n_negative:
        return float("nan")
    ranks = midranks(given)[positive].sum()
    return float((ranks - n_positive * (n_positive + 1) / 2) / (n_positive * n_negative))


def midranks(values: Floats) -> Floats:
    """Ranks from 1; equal values share the mean of theirs."""
    order = np.argsort(values)
    ascending = values[order]
    starts = np.flatnonzero(np.r_[True, ascending[1:] != ascending[:-1]])
    counts = np.diff(np.r_[starts, len(values)])
    ranks = np.empty(len(values))
    ranks[order] = np.repeat(starts + (counts + 1) / 2, counts)
    return ranks


def to_what_happened(labels: NDArray[Any], given: Floats) -> Floats:
    """The probability that each row's own class was given; 0 of a class that the model does not know."""
    if given.ndim == 1:
        return np.where(labels == 1, given, 1 - given)
    return np.where(labels >= 0, given[np.arange(len(labels)), np.maximum(labels, 0)], 0.0)


def right(labels: NDArray[Any], given: Floats) -> NDArray[np.bool_]:
    """Which rows are on the right side of one half, or given most to their own class."""
    answered: NDArray[np.bool_] = (given > 0.5) == (labels == 1) if given.ndim == 1 else given.argmax(axis=1) == labels
    return answered


def squared(labels: NDArray[Any], given: Floats) -> Floats:
    """The squared difference between what was given and what happened, summed over classes where there are several."""
    if given.ndim == 1:
        differences: Floats = np.square(given - labels)
        return differences
    summed: Floats = np.square(given).sum(axis=1) - 2 * to_what_happened(labels, given) + 1
    return summed


def losses(labels: NDArray[Any], given: Floats) -> Floats:
    """The negative log-likelihood of each row, in nats; a certainty that is wrong counts as 1e-15."""
    return np.negative(np.log(np.clip(to_what_happened(labels, given), 1e-15, 1)))


def log_loss(labels: NDArray[Any], given: Floats) -> float:
    """Mean negative log-likelihood, in nats."""
    return float(losses(labels, given).mean())


def brier(labels: NDArray[Any], given: Floats) -> float:
    """Mean squared difference between probability and what happened (Brier, 1950)."""
    return float(squared(labels, given).mean())


def accuracy(labels: NDArray[Any], given: Floats) -> float:
    """Share of rows that are right."""
    return float(right(labels, given).mean())


def macro_f1(labels: NDArray[Any], given: Floats) -> float:
    """The mean over the classes that occur of F1, the harmonic mean of precision and recall.

    scikit-learn also counts classes that were only answered; then two models are not measured on the same classes.
    """
    answered = given.argmax(axis=1)
    of_class = [
        2 * np.mean((answered == code) & (labels == code)) / (np.mean(answered == code) + np.mean(labels == code))
        for code in np.unique(labels)
    ]
    return float(np.mean(of_class))


def rmse(labels: NDArray[Any], given: Floats) -> float:
    """Root of the mean squared error, in the label's unit."""
    return float(np.sqrt(squared(labels, given).mean()))


def mae(labels: NDArray[Any], given: Floats) -> float:
    """Mean absolute error, in the label's unit."""
    return float(np.abs(given - labels).mean())


def r2(labels: NDArray[Any], given: Floats) -> float:
    """The share of the labels' variance that is explained; NaN where they are all the same."""
    variance = float(np.var(labels))
    return 1 - brier(labels, given) / variance if variance else float("nan")


METRICS: dict[str, Callable[[NDArray[Any], Floats], float]] = {
    "roc_auc": roc_auc,
    "log_loss": log_loss,
    "brier": brier,
    "accuracy": accuracy,
    "macro_f1": macro_f1,
    "rmse": rmse,
    "mae": mae,
    "r2": r2,
}


def constant(labels: NDArray[Any], like: Floats, metric: str) -> Floats:
    """The best constant answer to these labels, in the shape of `like`: shares, the mean, or for `mae` the median."""
    if like.ndim == 2:
        shares = np.bincount(labels[labels >= 0], minlength=like.shape[1]) / len(labels)
        return np.tile(shares, (len(labels), 1))
    return np.full(len(labels), np.median(labels) if metric == "mae" else labels.mean())


def slices(columns: Mapping[str, Sequence[object]], by: Sequence[str]) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """Every slice as its name, such as `origin=JFK`, and which rows are in it.

    Rows without a value are a slice too: `origin=(none)`.
    """
    for column in by:
        values = np.array(["(none)" if value is None else str(value) for value in columns[column]])
        for value in np.unique(values):
            yield f"{column}={value}", values == value


def score(
    labels: NDArray[Any],
    given: Floats,
    columns: Mapping[str, Sequence[object]],
    by: Sequence[str],
    task: Task = "binary",
) -> dict[str, dict[str, float]]:
    """Slice -> metric -> value, and `rows`; `all` is the whole. A metric that one class leaves undefined is absent."""
    masks = [(ALL, np.ones(len(labels), dtype=bool)), *slices(columns, by)]
    return {name: _measured(labels[mask], given[mask], task) for name, mask in masks if mask.any()}


def _measured(labels: NDArray[Any], given: Floats, task: Task) -> dict[str, float]:
    values = {name: METRICS[name](labels, given) for name in METRICS_OF[task]}
    return {"rows": float(len(labels)), **{name: value for name, value in values.items() if not np.isnan(value)}}


def on_rows(model: Any, rows: pa.Table, task: Task = "binary") -> dict[str, float]:
    """Metrics of a model on the labelled ones of rows read by `core.dataset`, and how many they are, as `rows`."""
    known = labelled(rows)
    if not known.num_rows:
        return {"rows": 0.0}
    labels = coded(labels_of(known), serving.classes(model))
    return _measured(labels, serving.given(model, columns_of(known)), task)
