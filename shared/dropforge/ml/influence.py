"""A metric row by row: values whose mean is the metric, and whose spread is its uncertainty.

Where a metric is a mean, they are what is averaged. Where it is not, they are the metric plus each row's influence on
it (Hampel, "The influence curve and its role in robust estimation", 1974); the standard error that they give is the
limit of the bootstrap's (the infinitesimal jackknife: Efron, 1982), and the difference of two models' values is that of
the metrics, row for row, so that it can be tested in pairs.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dropforge.ml import score

Floats = NDArray[np.float64]


def by_row(metric: str, labels: NDArray[Any], given: Floats) -> Floats | None:
    """The values of shape (n_rows,); None where the metric is not defined.

    Raises:
        ValueError: there is no such metric.
    """
    if metric == "log_loss":
        return score.losses(labels, given)
    if metric == "brier":
        return score.squared(labels, given)
    if metric == "accuracy":
        return score.right(labels, given).astype(np.float64)
    if metric == "mae":
        errors: Floats = np.abs(given - labels)
        return errors
    if metric in ("rmse", "r2"):
        return _of_squares(metric, labels, given)
    if metric == "macro_f1":
        return _macro_f1(labels, given)
    if metric == "roc_auc":
        return _roc_auc(labels, given)
    raise ValueError(f"Expected one of {', '.join(score.METRICS)}. Found {metric!r}.")


def placements(positive: NDArray[np.bool_], given: Floats) -> tuple[Floats, Floats]:
    """For each positive row the share of negative rows below it, for each negative the share of positives above it."""
    ranks = score.midranks(given)
    negative = ~positive
    above = (ranks[positive] - score.midranks(given[positive])) / negative.sum()
    below = 1 - (ranks[negative] - score.midranks(given[negative])) / positive.sum()
    return above, below


def _of_squares(metric: str, labels: NDArray[Any], given: Floats) -> Floats | None:
    squared: Floats = np.square(given - labels)
    mean = float(squared.mean())
    if metric == "rmse":
        return squared if mean == 0 else np.add((squared - mean) / (2 * np.sqrt(mean)), np.sqrt(mean))
    around = np.square(labels - labels.mean())
    variance = around.mean()
    if variance == 0:
        return None
    return np.subtract(1 - mean / variance, (squared - mean * around / variance) / variance)


def _macro_f1(labels: NDArray[Any], given: Floats) -> Floats:
    answered = given.argmax(axis=1)
    values = np.zeros(len(labels))
    codes = np.unique(labels)
    for code in codes:
        both = 2.0 * ((answered == code) & (labels == code))
        either = 1.0 * (answered == code) + (labels == code)
        f1 = both.mean() / either.mean()
        values += f1 + (both - f1 * either) / either.mean()
    return values / len(codes)


def _roc_auc(labels: NDArray[Any], given: Floats) -> Floats | None:
    columns = [(labels == 1, given)]
    if given.ndim == 2:
        columns = [(labels == code, given[:, code]) for code in np.unique(labels[labels >= 0])]
    columns = [(positive, each) for positive, each in columns if min(positive.sum(), (~positive).sum()) >= 2]
    if not columns:
        return None
    return np.mean([_area(positive, each) for positive, each in columns], axis=0)


def _area(positive: NDArray[np.bool_], given: Floats) -> Floats:
    above, below = placements(positive, given)
    area, share = above.mean(), positive.mean()
    values = np.empty(len(given))
    values[positive] = area + (above - area) / share
    values[~positive] = area + (below - area) / (1 - share)
    return values
