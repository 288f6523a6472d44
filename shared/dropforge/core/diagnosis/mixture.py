"""How well "a share of the rows was changed so" explains the difference of two distributions.

If a share s of the rows of a reference R was changed into T, the batch is (1 - s) R + s T. The best s follows by least
squares from the two cumulative distributions, weighted by where the rows are; what is left tells how good that is.
"""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate

Points = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Fit:
    """`share` of the rows that were changed, and the part of the squared difference that is then `explained`."""

    share: float
    explained: float


class Distribution:
    """Weighted points, as a cumulative share."""

    def __init__(self, points: Points) -> None:
        ordered = sorted(points)
        total = sum(rows for _, rows in ordered) or 1.0
        self.values = [value for value, _ in ordered]
        self.shares = [rows / total for _, rows in ordered]
        self._below = [0.0, *accumulate(self.shares)]

    def at_most(self, value: float) -> float:
        """The share of rows at or below a value."""
        return self._below[bisect_right(self.values, value)]

    def changed(self, change: Callable[[float], float]) -> "Distribution":
        """Every value changed."""
        return Distribution([(change(value), share) for value, share in zip(self.values, self.shares, strict=True)])


def fit(batch: Distribution, reference: Distribution, changed: Distribution) -> Fit:
    """Explain `batch` as a mixture of `reference` and `changed`."""
    grid = [*zip(batch.values, batch.shares, strict=True), *zip(changed.values, changed.shares, strict=True)]
    # Rounding must not part values that are the same: a grid point is taken a hair above its value.
    grid = [(value + 1e-9 * (1 + abs(value)), weight) for value, weight in grid]
    moved, could = [], []
    for value, _ in grid:
        before = reference.at_most(value)
        moved.append(batch.at_most(value) - before)
        could.append(changed.at_most(value) - before)
    return least_squares(moved, could, [weight for _, weight in grid])


def least_squares(moved: Sequence[float], could: Sequence[float], weights: Sequence[float]) -> Fit:
    """The share in [0, 1] of `could` that comes nearest to `moved`."""
    total = sum(w * m * m for w, m in zip(weights, moved, strict=True))
    scale = sum(w * c * c for w, c in zip(weights, could, strict=True))
    if total <= 0 or scale <= 0:
        return Fit(0.0, 0.0)
    product = sum(w * m * c for w, m, c in zip(weights, moved, could, strict=True))
    share = min(max(product / scale, 0.0), 1.0)
    left = sum(w * (m - share * c) ** 2 for w, m, c in zip(weights, moved, could, strict=True))
    return Fit(share, max(1 - left / total, 0.0))
