"""A model brought up to date by new rows alone, instead of being trained on everything again.

A few trees are put on top of the old model: one Newton step of the likelihood, fitted to the new rows (the working
response and weights of LogitBoost: Friedman, Hastie and Tibshirani, "Additive logistic regression", Annals of
Statistics 28 (2000); of a number, its residuals). The old trees stay as they are. scikit-learn's own `warm_start` would
bin the new rows anew and walk the old trees by the wrong bins; it is for the same rows only.
"""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.pipeline import Pipeline as Steps
from threadpoolctl import threadpool_limits

from dropforge.contracts.errors import NotEnoughData
from dropforge.contracts.pipeline import Pipeline
from dropforge.ml import fit, score, serving
from dropforge.ml.calibrate import Corrected
from dropforge.ml.paired import difference
from dropforge.ml.personal.model import PersonalClasses, PersonalNumbers
from dropforge.ml.rows import columns_of, labels_of

Floats = NDArray[np.float64]

TREES = 20
MOST_UPDATES = 5  # on top of one another; then everything is learned again
_MOST_ROWS = 100_000  # that the full training is tried on, evenly chosen, to compare it with an update
_TRIED = 0.3  # the share of the new rows, the last ones, that both are compared on
_LEAST_WEIGHT = 1e-3  # of a row that the old model is sure of: its working response would be without bound


class _Added(BaseEstimator):  # type: ignore[misc]  # scikit-learn ships no types
    """A fitted model, and the trees on top of it."""

    def __init__(self, model: Any, more: Any) -> None:
        self.model = model
        self.more = more

    def fit(self, matrix: Any, y: Any = None) -> Self:  # noqa: ARG002  # both are fitted before
        """There is nothing to learn."""
        return self

    def __sklearn_is_fitted__(self) -> bool:
        """Both are."""
        return True


class AddedNumbers(RegressorMixin, _Added):  # type: ignore[misc]  # as above
    """Of a number."""

    def predict(self, matrix: Any) -> Floats:
        """The numbers, shape (n_rows,)."""
        raw: Floats = self.model.predict(matrix) + self.more.predict(matrix)
        return raw


class AddedOdds(ClassifierMixin, _Added):  # type: ignore[misc]  # as above
    """Of yes and no."""

    def __init__(self, model: Any, more: Any) -> None:
        super().__init__(model, more)
        self.classes_ = model.classes_

    def decision_function(self, matrix: Any) -> Floats:
        """The log-odds, shape (n_rows,)."""
        raw: Floats = self.model.decision_function(matrix) + self.more.predict(matrix)
        return raw

    def predict_proba(self, matrix: Any) -> Floats:
        """Probabilities of no and yes, shape (n_rows, 2)."""
        yes = 1 / (1 + np.exp(-self.decision_function(matrix)))
        return np.column_stack([1 - yes, yes])


@dataclass(frozen=True)
class Compared:
    """What the update and a full training reached on the last of the new rows; higher is not always better."""

    update: float
    full: float
    taken: bool


def updates(model: Any) -> int:
    """How many updates lie on top of one another; -1 where a model cannot be updated."""
    if isinstance(model, PersonalNumbers | PersonalClasses):
        return -1
    last = model.named_steps["model"]
    count = 0
    while isinstance(last, _Added | Corrected):
        count += isinstance(last, _Added)
        last = last.model
    of_trees = isinstance(last, HistGradientBoostingRegressor | HistGradientBoostingClassifier)
    return count if of_trees and not serving.classes(model) else -1


def updated(pipeline: Pipeline, model: Any, rows: pa.Table) -> Steps:
    """The model with trees on top that are fitted to these rows; the same rows give the same bytes.

    Raises:
        NotEnoughData: too few rows, or of one class only.
    """
    labels = labels_of(rows)
    fit.check_enough(labels, "new", pipeline.label.task)
    *before, (name, last) = model.steps
    matrix = Steps(before).transform(columns_of(rows))
    if pipeline.label.task == "regression":
        response, weights = labels - last.predict(matrix), None
    else:
        yes = last.predict_proba(matrix)[:, 1]
        weights = np.maximum(yes * (1 - yes), _LEAST_WEIGHT)
        response = (labels - yes) / weights
    more = HistGradientBoostingRegressor(
        max_iter=TREES,
        min_samples_leaf=int(np.clip(len(labels) // 100, 20, 200)),
        l2_regularization=1.0,
        early_stopping=False,
        random_state=pipeline.training.seed,
    )
    with threadpool_limits(1 if len(labels) < fit.THREADS_PAY else None, user_api="openmp"):
        more.fit(matrix, response, sample_weight=weights)
    more._bin_mapper.n_threads = None  # as in `fit`
    added = AddedNumbers if pipeline.label.task == "regression" else AddedOdds
    return Steps([*before, (name, added(last, more))])


def compared(pipeline: Pipeline, model: Any, old: pa.Table, new: pa.Table, kind: str = "boosting") -> Compared | None:
    """Whether an update by the first of the new rows predicts the last at least as well as a full training.

    None where the new rows are too few to tell, or the model cannot be updated (again).
    """
    if not 0 <= updates(model) < MOST_UPDATES:
        return None
    cut = int(new.num_rows * (1 - _TRIED))
    first, last = new.slice(0, cut), new.slice(cut)
    every = pa.concat_tables([old, first])
    try:
        fit.check_enough(labels_of(last), "last new", pipeline.label.task)
        quick = updated(pipeline, model, first)
        some = every.take(np.unique(np.linspace(0, every.num_rows - 1, _MOST_ROWS).astype(np.int64)))
        full = fit.fit(pipeline, columns_of(some), labels_of(some), kind)
    except NotEnoughData:
        return None
    metric, labels, columns = pipeline.success.metric, labels_of(last), columns_of(last)
    its, other = (serving.given(each, columns) for each in (quick, full))
    found = difference(metric, labels, its, other)
    measure = score.METRICS[metric]
    return Compared(measure(labels, its), measure(labels, other), found is not None and found.estimate >= 0)
