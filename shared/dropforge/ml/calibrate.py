"""Probabilities put right: what a model says is 30 % should happen in 30 % of the rows.

Platt, "Probabilistic outputs for support vector machines", 1999: log-odds times a slope plus a shift, the two that make
later rows most likely. It keeps the order of rows, so no metric of ranking changes. Used only where it helps on rows
that it was not fitted to: boosting by likelihood is most often calibrated by itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline as Steps

from dropforge.contracts.pipeline import Pipeline
from dropforge.ml.paired import difference
from dropforge.ml.score import log_loss

Floats = NDArray[np.float64]
Block = tuple[NDArray[Any], Floats]  # labels, and the probabilities given

_CERTAIN = 1e-12  # probabilities nearer to 0 or 1 have log-odds as if they were this near


@dataclass(frozen=True)
class Correction:
    """Log-odds times `slope` plus `shift`, and the log loss before and after on the newest block."""

    slope: float
    shift: float
    before: float
    after: float

    def __call__(self, given: Floats) -> Floats:
        """The corrected probabilities."""
        return 1 / (1 + np.exp(-(self.slope * log_odds(given) + self.shift)))


def suits(pipeline: Pipeline) -> bool:
    """Whether there is a probability of yes, and the metric asks for more than the order of rows."""
    return pipeline.label.task == "binary" and pipeline.success.metric in ("log_loss", "brier", "accuracy")


def correction(pipeline: Pipeline, blocks: Sequence[Block]) -> Correction | None:
    """The correction learned from all blocks, oldest first, if that of all but the newest helps it; else None."""
    labels, given = blocks[-1]
    tried = _fitted(blocks[:-1])
    better = difference("log_loss", labels, tried(given), given)
    if better is None or better.low() <= 0:
        return None
    after = difference(pipeline.success.metric, labels, tried(given), given)
    if after is None or after.estimate < 0:
        return None
    whole = _fitted(blocks)
    return Correction(whole.slope, whole.shift, log_loss(labels, given), log_loss(labels, tried(given)))


def log_odds(given: Floats) -> Floats:
    """Of probabilities."""
    inside = np.clip(given, _CERTAIN, 1 - _CERTAIN)
    return np.log(inside / (1 - inside))


def _fitted(blocks: Sequence[Block]) -> Correction:
    labels, given = (np.concatenate([block[part] for block in blocks]) for part in (0, 1))
    line = LogisticRegression(C=np.inf, max_iter=1000).fit(log_odds(given).reshape(-1, 1), labels)
    return Correction(float(line.coef_.item()), float(line.intercept_.item()), np.nan, np.nan)


class Corrected(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn ships no types
    """A fitted classifier of yes and no, and behind it the correction of its probabilities."""

    def __init__(self, model: Any, slope: float, shift: float) -> None:
        self.model = model
        self.slope = slope
        self.shift = shift
        self.classes_ = model.classes_

    def fit(self, matrix: Any, y: Any = None) -> Self:  # noqa: ARG002  # the model is fitted before
        """There is nothing to learn."""
        return self

    def predict_proba(self, matrix: Any) -> Floats:
        """Probabilities of no and yes, shape (n_rows, 2)."""
        yes = 1 / (1 + np.exp(-self.decision_function(matrix)))
        return np.column_stack([1 - yes, yes])

    def decision_function(self, matrix: Any) -> Floats:
        """The corrected log-odds, shape (n_rows,)."""
        raw: Floats = self.slope * self.model.decision_function(matrix) + self.shift
        return raw


def corrected(steps: Steps, by: Correction) -> Steps:
    """A fitted pipeline with the correction behind it."""
    *before, (name, model) = steps.steps
    return Steps([*before, (name, Corrected(model, by.slope, by.shift))])
