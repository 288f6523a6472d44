"""How good probabilities are: overall and for each slice."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from dropforge.ml import serving
from dropforge.ml.rows import columns_of, labelled, labels_of

Floats = NDArray[np.float64]

ALL = "all"
HIGHER_IS_BETTER = {"roc_auc": True, "log_loss": False, "brier": False, "accuracy": True}


def roc_auc(labels: NDArray[Any], probabilities: Floats) -> float:
    """The chance that a positive row is given more than a negative one, ties counting half; NaN with one class.

    >>> roc_auc(np.array([0, 1, 1]), np.array([0.2, 0.2, 0.9]))
    0.75
    """
    positive = labels == 1
    n_positive, n_negative = int(positive.sum()), int((~positive).sum())
    if not n_positive or not n_negative:
        return float("nan")
    ranks = midranks(probabilities)[positive].sum()
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


def log_loss(labels: NDArray[Any], probabilities: Floats) -> float:
    """Mean negative log-likelihood, in nats; a certainty that is wrong counts as 1e-15."""
    given = np.clip(np.where(labels == 1, probabilities, 1 - probabilities), 1e-15, 1)
    return float(-np.log(given).mean())


def brier(labels: NDArray[Any], probabilities: Floats) -> float:
    """Mean squared difference between probability and what happened."""
    return float(np.mean((probabilities - labels) ** 2))


def accuracy(labels: NDArray[Any], probabilities: Floats) -> float:
    """Share of rows on the right side of one half."""
    return float(np.mean((probabilities > 0.5) == (labels == 1)))


METRICS: dict[str, Callable[[NDArray[Any], Floats], float]] = {
    "roc_auc": roc_auc,
    "log_loss": log_loss,
    "brier": brier,
    "accuracy": accuracy,
}


def slices(columns: Mapping[str, Sequence[object]], by: Sequence[str]) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """Every slice as its name, such as `origin=JFK`, and which rows are in it.

    Rows without a value are a slice too: `origin=(none)`.
    """
    for column in by:
        values = np.array(["(none)" if value is None else str(value) for value in columns[column]])
        for value in np.unique(values):
            yield f"{column}={value}", values == value


def score(
    labels: NDArray[Any], probabilities: Floats, columns: Mapping[str, Sequence[object]], by: Sequence[str]
) -> dict[str, dict[str, float]]:
    """Slice -> metric -> value, and `rows`; `all` is the whole. A metric that one class leaves undefined is absent."""
    masks = [(ALL, np.ones(len(labels), dtype=bool)), *slices(columns, by)]
    return {name: _measured(labels[mask], probabilities[mask]) for name, mask in masks if mask.any()}


def _measured(labels: NDArray[Any], probabilities: Floats) -> dict[str, float]:
    values = {name: metric(labels, probabilities) for name, metric in METRICS.items()}
    return {"rows": float(len(labels)), **{name: value for name, value in values.items() if not np.isnan(value)}}


def on_rows(model: Any, rows: pa.Table) -> dict[str, float]:
    """Metrics of a model on the labelled ones of rows read by `core.dataset`, and how many they are, as `rows`."""
    known = labelled(rows)
    if not known.num_rows:
        return {"rows": 0.0}
    return _measured(labels_of(known), serving.probabilities(model, columns_of(known)))
