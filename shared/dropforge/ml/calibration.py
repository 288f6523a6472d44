"""Whether answers mean what they say: of the rows given 30 %, about 30 % should be positive.

Of numbers: rows that were given about 12 should be about 12 on average.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

BINS = 10


@dataclass(frozen=True)
class Bin:
    """Rows that were given about the same: the mean of it, the mean of what happened, and its standard error."""

    rows: int
    given: float
    observed: float
    error: float


def reliability(labels: NDArray[Any], given: NDArray[np.float64], bins: int = BINS) -> list[Bin]:
    """Bins of equally many rows, by probability; so that none is empty and each has an error of its own."""
    order = np.argsort(given, kind="stable")
    return [_bin(labels[rows], given[rows]) for rows in np.array_split(order, bins) if len(rows)]


def comparable(labels: NDArray[Any], given: NDArray[np.float64]) -> tuple[NDArray[Any], NDArray[np.float64]]:
    """Labels and what was given as one number each; of classes, whether the answered one was right and its probability.

    Guo et al., "On Calibration of Modern Neural Networks", ICML 2017, call that confidence calibration.
    """
    return (labels, given) if given.ndim == 1 else (given.argmax(axis=1) == labels, given.max(axis=1))


def calibration_error(labels: NDArray[Any], given: NDArray[np.float64]) -> float:
    """The mean difference between what was given and what happened, over the bins (expected calibration error).

    Naeini, Cooper and Hauskrecht, "Obtaining Well Calibrated Probabilities Using Bayesian Binning", AAAI 2015, with
    bins of equally many rows.
    """
    found = reliability(labels, given)
    return float(sum(each.rows * abs(each.given - each.observed) for each in found) / len(labels))


def _bin(labels: NDArray[Any], given: NDArray[np.float64]) -> Bin:
    return Bin(len(labels), float(given.mean()), float(labels.mean()), float(labels.std() / np.sqrt(len(labels))))
