"""How good answers are whose labels are not there yet, estimated from how sure the model was of each.

Confidence-based performance estimation, as NannyML does it (CBPE; Białek, Kuberski, Perrakis and Bifet, "Estimating
model performance under covariate shift without labels", 2024): calibrated on labelled rows, a probability says how
often such an answer is right, so the expected counts of right and wrong answers follow from the probabilities alone.

**What it assumes**: that probabilities mean what they meant on the holdout. Other rows, more of the difficult ones, are
seen; that the same rows now end otherwise is not. It cannot replace labels, only bridge the wait for them.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
LEAST = 100  # labelled rows to calibrate on


@dataclass(frozen=True)
class Estimate:
    """What is expected of some rows. `low` and `high` bound the accuracy that chance alone leaves likely (95 %)."""

    rows: int
    accuracy: float
    low: float
    high: float
    roc_auc: float | None  # None where no order is to be expected of the rows


class Calibrated:
    """What a probability means, learned on labelled rows by isotonic regression (Zadrozny and Elkan, 2002)."""

    def __init__(self, labels: NDArray[np.int8], given: Floats) -> None:
        from sklearn.isotonic import IsotonicRegression

        if len(labels) < LEAST:
            raise ValueError(f"Expected at least {LEAST} labelled rows to calibrate on. Got {len(labels)}.")
        self._meaning = IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip").fit(given, labels)

    def __call__(self, given: Floats) -> Floats:
        """The chance that each row is positive, shape (n_rows,)."""
        found: Floats = self._meaning.predict(given)
        return found


def estimate(meaning: Calibrated, given: Floats, threshold: float = 0.5) -> Estimate:
    """What is to be expected of answers to at least one row, by the probabilities that were given."""
    positive = meaning(given)
    right = np.where(given > threshold, positive, 1 - positive)
    accuracy = float(right.mean())
    error = float(np.sqrt((right * (1 - right)).sum()) / len(right))
    return Estimate(
        rows=len(given),
        accuracy=accuracy,
        low=max(accuracy - 1.96 * error, 0.0),
        high=min(accuracy + 1.96 * error, 1.0),
        roc_auc=_ranking(given, positive),
    )


def _ranking(given: Floats, positive: Floats) -> float | None:
    """The chance that of a positive and a negative row the positive one was given more; ties count half."""
    levels, place = np.unique(given, return_inverse=True)
    good = np.bincount(place, positive, len(levels))
    bad = np.bincount(place, 1 - positive, len(levels))
    pairs = good.sum() * bad.sum()
    if pairs <= 0:
        return None
    return float(((np.cumsum(bad) - bad + bad / 2) * good).sum() / pairs)
