"""Whether probabilities mean what they say: of the rows given 30 %, about 30 % should be positive."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

BINS = 10


@dataclass(frozen=True)
class Bin:
    """Rows of similar probability: the mean that was given, the share that was positive, and its standard error."""

    rows: int
    given: float
    observed: float
    error: float


def reliability(labels: NDArray[Any], given: NDArray[np.float64], bins: int = BINS) -> list[Bin]:
    """Bins of equally many rows, by probability; so that none is empty and each has an error of its own."""
    order = np.argsort(given, kind="stable")
    return [_bin(labels[rows], given[rows]) for rows in np.array_split(order, bins) if len(rows)]


def calibration_error(labels: NDArray[Any], given: NDArray[np.float64]) -> float:
    """The mean difference between what was given and what happened, over the bins (expected calibration error).

    Naeini, Cooper and Hauskrecht, "Obtaining Well Calibrated Probabilities Using Bayesian Binning", AAAI 2015, with
    bins of equally many rows.
    """
    found = reliability(labels, given)
    return float(sum(each.rows * abs(each.given - each.observed) for each in found) / len(labels))


def _bin(labels: NDArray[Any], given: NDArray[np.float64]) -> Bin:
    share = float(np.mean(labels == 1))
    return Bin(len(labels), float(given.mean()), share, float(np.sqrt(share * (1 - share) / len(labels))))
