"""The kinds of model that are tried, each as an unfitted scikit-learn pipeline from raw columns to what is answered."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.pipeline import Pipeline as Steps
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from dropforge.contracts.outcomes import Task
from dropforge.ml.cycles import PERIODS, Circle
from dropforge.ml.encoder import Encoder, Input
from dropforge.ml.texts import Words

# Parts of times that have no order a line could follow: 23 h is next to 0 h.
_CYCLIC = ("hour", "weekday", "month")  # few values, an indicator each; those of many lie on a circle: `cycles`
_MOST_INDICATORS = 100  # columns that one category becomes; rarer values share one
# Inverse of the regularisation: words are many and each is rare. Of 1, 10, 30, 100 and 300, 100 gave the least log loss
# on the second third of 5,574 messages, learned from the first: .091, against .218 with 1.
_WITH_TEXT = 100.0


@dataclass(frozen=True)
class Terms:
    """What is predicted, how it will be judged, from how many rows it is learned, and the seed."""

    task: Task
    metric: str
    rows: int
    seed: int


def constant(inputs: Sequence[Input], terms: Terms) -> Steps:
    """The share of each class, the mean or, judged by absolute errors, the median: what anything must beat."""
    if terms.task == "regression":
        model = DummyRegressor(strategy="median" if terms.metric == "mae" else "mean")
    else:
        model = DummyClassifier(strategy="prior")
    return Steps([("encode", Encoder(without_text(inputs))), ("model", model)])


def logistic(inputs: Sequence[Input], terms: Terms) -> Steps:
    """Logistic regression on indicators of categories, standardised numbers and the words of texts.

    Strong where rows are few, and the only kind that reads text.
    """
    has_text = any(each.kind == "text" for each in inputs)
    model = LogisticRegression(C=_WITH_TEXT, max_iter=500) if has_text else LogisticRegression(max_iter=500)
    return _linear(inputs, terms.rows, model)


def ridge(inputs: Sequence[Input], terms: Terms) -> Steps:
    """As `logistic`, for numbers: least squares with a penalty on the weights' squares."""
    return _linear(inputs, terms.rows, Ridge(solver="lsqr", tol=1e-8))


def _linear(inputs: Sequence[Input], rows: int, model: Any) -> Steps:
    texts = [each.column for each in inputs if each.kind == "text"]
    others = without_text(inputs)
    if not texts:
        prepare = _prepared(others, rows)
        return Steps([("encode", Encoder(others)), ("prepare", prepare), ("model", model)])
    parts: list[tuple[str, object]] = [(f"words of {name}", Words(name)) for name in texts]
    if others:
        parts.append(("others", Steps([("encode", Encoder(others)), ("prepare", _prepared(others, rows))])))
    return Steps([("read", FeatureUnion(parts)), ("model", model)])


def without_text(inputs: Sequence[Input]) -> list[Input]:
    """The inputs that every kind reads."""
    return [each for each in inputs if each.kind != "text"]


def _prepared(inputs: Sequence[Input], rows: int) -> ColumnTransformer:
    indicators = [index for index, each in enumerate(inputs) if each.kind == "category" or each.part in _CYCLIC]
    circles = [index for index, each in enumerate(inputs) if each.part in PERIODS]
    numbers = [index for index in range(len(inputs)) if index not in indicators and index not in circles]
    frequent = max(2, rows // 1000)
    return ColumnTransformer(
        [
            (
                "indicators",
                make_pipeline(
                    SimpleImputer(strategy="constant", fill_value=-1),
                    OneHotEncoder(
                        handle_unknown="infrequent_if_exist", min_frequency=frequent, max_categories=_MOST_INDICATORS
                    ),
                ),
                indicators,
            ),
            ("circles", Circle([PERIODS[inputs[index].part] for index in circles]), circles),
            ("numbers", make_pipeline(SimpleImputer(strategy="median", add_indicator=True), StandardScaler()), numbers),
        ]
    )


def boosting(inputs: Sequence[Input], terms: Terms, weights: str | None = None) -> Steps:
    """Histogram gradient boosting; leaves as small as scikit-learn's default, and less shrinkage, where rows are few.

    Measured on the flights, each month scored by a model of all months before: 100 rows a leaf and l2 = 10 gain .002
    AUC over the defaults, and win in every month from April on over a model of January and February.
    """
    settings: dict[str, Any] = {
        "learning_rate": 0.1,
        "max_iter": 100,
        "min_samples_leaf": int(np.clip(terms.rows // 500, 20, 100)),
        "l2_regularization": float(np.clip(terms.rows / 5000, 0.1, 10)),
        "early_stopping": False,  # it would hold out random rows, and data that drift are never split at random
        "random_state": terms.seed,
    }
    if terms.task == "regression":
        loss = "absolute_error" if terms.metric == "mae" else "squared_error"
        booster = HistGradientBoostingRegressor(loss=loss, **settings)
    else:
        booster = HistGradientBoostingClassifier(class_weight=weights, **settings)
    return Steps([("encode", Encoder(without_text(inputs))), ("model", booster)])


def by_target(inputs: Sequence[Input], terms: Terms) -> Steps:
    """Boosting on categories as the mean label of their rows: for those of many values, whose rank says little."""
    return boosting([replace(each, by_target=each.kind == "category") for each in inputs], terms)


def balanced(inputs: Sequence[Input], terms: Terms) -> Steps:
    """Boosting on rows weighed so that every class counts the same, as `macro_f1` counts them.

    It is for no other metric: its probabilities are those of a world where the classes are equally many.
    """
    return boosting(inputs, terms, "balanced")


def variants(kind: str, inputs: Sequence[Input], terms: Terms) -> list[str]:
    """The recipes of a kind that a pipeline allows, the preferred one first, as far as they differ for these inputs."""
    found = [kind]
    if kind == "boosting" and terms.task != "multiclass" and any(each.kind == "category" for each in inputs):
        found.append("boosting/target")
    if kind == "boosting" and terms.metric == "macro_f1":
        found.append("boosting/balanced")
    return found


Recipe = Callable[[Sequence[Input], Terms], Steps]

RECIPES: dict[str, Recipe] = {
    "constant": constant,
    "logistic": logistic,
    "ridge": ridge,
    "boosting": boosting,
    "boosting/target": by_target,
    "boosting/balanced": balanced,
}
