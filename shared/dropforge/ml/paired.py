"""By how much one model beats another on the same rows, and how sure that is.

For ROC AUC: DeLong, DeLong and Clarke-Pearson, "Comparing the areas under two or more correlated receiver operating
characteristic curves", Biometrics 44 (1988), in the rank form of Sun and Xu, "Fast implementation of DeLong's
algorithm", IEEE Signal Processing Letters 21 (2014). For all others: the paired z-test of their values row by row
(`influence`).
"""

from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dropforge.ml.influence import by_row, placements
from dropforge.ml.score import HIGHER_IS_BETTER

Floats = NDArray[np.float64]
_NORMAL = NormalDist()
# One-sided: an equal challenger passes once in forty. With 95 %, 5.5 % of 200 did, and each is a change for nothing.
CONFIDENCE = 0.975


@dataclass(frozen=True)
class Difference:
    """By how much the challenger is better (positive) or worse, in the metric's unit, and the standard error of it."""

    estimate: float
    error: float

    def low(self, confidence: float = CONFIDENCE) -> float:
        """What the true difference exceeds with this confidence (one-sided)."""
        return self.estimate - _NORMAL.inv_cdf(confidence) * self.error

    @property
    def p_worse(self) -> float:
        """How probable a measured difference this low is, or lower, were the two equally good."""
        if self.error == 0:
            return 1.0 if self.estimate >= 0 else 0.0
        return _NORMAL.cdf(self.estimate / self.error)


def difference(metric: str, labels: NDArray[Any], challenger: Floats, champion: Floats) -> Difference | None:
    """Compare what two models gave for rows in the same order; None where the metric is not defined."""
    if metric == "roc_auc" and challenger.ndim == 1:
        return _delong(labels == 1, challenger, champion)
    if len(labels) < 2:
        return None
    first, second = (by_row(metric, labels, given) for given in (challenger, champion))
    if first is None or second is None:
        return None
    better = (first - second) if HIGHER_IS_BETTER[metric] else (second - first)
    return Difference(float(better.mean()), float(better.std(ddof=1) / sqrt(len(better))))


def own_error(metric: str, labels: NDArray[Any], given: Floats) -> float | None:
    """The standard error of a metric by itself; None where it is not defined."""
    if metric == "roc_auc" and given.ndim == 1:
        against_constant = _delong(labels == 1, given, np.zeros(len(labels)))
        return None if against_constant is None else against_constant.error
    if len(labels) < 2 or (values := by_row(metric, labels, given)) is None:
        return None
    return float(values.std(ddof=1) / sqrt(len(labels)))


def holm(p_values: list[float], level: float = 0.05) -> list[bool]:
    """Which hypotheses are rejected, with the chance of any false rejection at most `level` (Holm, 1979).

    >>> holm([0.04, 0.001, 0.03])
    [False, True, False]
    """
    rejected = [False] * len(p_values)
    for position, index in enumerate(sorted(range(len(p_values)), key=lambda index: p_values[index])):
        if p_values[index] > level / (len(p_values) - position):
            break
        rejected[index] = True
    return rejected


def _delong(positive: NDArray[np.bool_], challenger: Floats, champion: Floats) -> Difference | None:
    if min(positive.sum(), (~positive).sum()) < 2:
        return None
    first, second = (placements(positive, given) for given in (challenger, champion))
    of_positive, of_negative = first[0] - second[0], first[1] - second[1]
    variance = of_positive.var(ddof=1) / len(of_positive) + of_negative.var(ddof=1) / len(of_negative)
    return Difference(float(of_positive.mean()), float(sqrt(variance)))
