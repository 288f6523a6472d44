"""Metrics and paired comparisons, against scikit-learn's and against resampling."""

from collections.abc import Callable

import numpy as np
import pytest
import sklearn.metrics

from dropforge.contracts.pipeline import Success
from dropforge.contracts.pipeline.success import METRICS_OF
from dropforge.ml import score
from dropforge.ml.paired import difference, holm, own_error
from dropforge.ml.rows import LABEL

Drawn = tuple[np.ndarray, np.ndarray, np.ndarray]
PAIRS = [(task, metric) for task, metrics in METRICS_OF.items() for metric in metrics]


def reference(task: str, metric: str) -> Callable[[np.ndarray, np.ndarray], float]:
    """scikit-learn's."""
    names = {"roc_auc": "roc_auc_score", "brier": "brier_score_loss", "macro_f1": "f1_score", "log_loss": "log_loss"}
    names |= {"accuracy": "accuracy_score", "mae": "mean_absolute_error", "r2": "r2_score"}
    measure = getattr(sklearn.metrics, names.get(metric, "root_mean_squared_error"))
    if task == "binary" and metric == "accuracy":
        return lambda labels, given: measure(labels, given > 0.5)
    if task == "multiclass" and metric in ("accuracy", "macro_f1"):
        more = {"average": "macro"} if metric == "macro_f1" else {}
        return lambda labels, given: measure(labels, given.argmax(axis=1), **more)
    if task == "multiclass" and metric == "roc_auc":
        return lambda labels, given: measure(labels, given, multi_class="ovr")
    return measure  # type: ignore[no-any-return]


def drawn(task: str) -> Drawn:
    """Labels, a good model's answers and a slightly worse one's; probabilities rounded, so that there are ties."""
    random = np.random.default_rng(5)
    wish = random.normal(size=2000)
    seen = [wish + noise * random.normal(size=2000) for noise in (0.3, 0.8)]
    if task == "regression":
        return wish + random.normal(size=2000), seen[0], seen[1]
    if task == "multiclass":
        labels = np.digitize(wish + random.logistic(size=2000) / 2, [-0.5, 1.0])
        return labels, _shares(seen[0]), _shares(seen[1])
    labels = (wish + random.logistic(size=2000) > 0.5).astype(np.int8)
    good, worse = ((1 / (1 + np.exp(-each))).round(2).clip(0.01, 0.99) for each in seen)
    return labels, good, worse


def _shares(seen: np.ndarray) -> np.ndarray:
    weights = np.exp(np.outer(seen, [-1.5, 0, 1.5]) - [0.75, 0, 0.75])
    shares: np.ndarray = weights / weights.sum(axis=1, keepdims=True)
    return shares


@pytest.mark.parametrize(("task", "metric"), PAIRS)
def test_metrics_are_those_of_scikit_learn(task: str, metric: str) -> None:
    """Ours import in a fraction of the time and have no warnings to silence; they must not differ."""
    labels, good, _ = drawn(task)
    assert score.METRICS[metric](labels, good) == pytest.approx(reference(task, metric)(labels, good), abs=1e-12)


@pytest.mark.parametrize(("task", "metric"), PAIRS)
def test_the_error_of_a_difference_is_that_of_resampling(task: str, metric: str) -> None:
    """A standard error that is too small publishes noise; too large, and nothing gets through."""
    labels, good, worse = drawn(task)
    random = np.random.default_rng(1)
    sign = 1 if score.HIGHER_IS_BETTER[metric] else -1
    measure = score.METRICS[metric]
    resampled, alone = [], []
    for _ in range(400):
        rows = random.integers(0, len(labels), len(labels))
        alone.append(measure(labels[rows], good[rows]))
        resampled.append(sign * (alone[-1] - measure(labels[rows], worse[rows])))
    found = difference(metric, labels, good, worse)
    assert found is not None
    assert found.estimate == pytest.approx(sign * (measure(labels, good) - measure(labels, worse)), abs=1e-12)
    assert found.error == pytest.approx(np.std(resampled), rel=0.15)  # 400 resamples know it to about 4 %
    assert own_error(metric, labels, good) == pytest.approx(np.std(alone), rel=0.15)
    assert found.low() > 0


@pytest.mark.parametrize("task", METRICS_OF)
def test_a_constant_answer_is_the_best_that_knows_no_row(task: str) -> None:
    """What a first model must beat: the shares, the mean or, for absolute errors, the median."""
    labels, good, _ = drawn(task)
    for metric in ("log_loss", "brier") if task != "regression" else ("rmse", "mae"):
        best = score.constant(labels, good, metric)
        assert best.shape == good.shape
        for other in (best * 0.9, best * 0.9 + 0.05 * best.max()):
            other = other / other.sum(axis=1, keepdims=True) if task == "multiclass" else other
            assert score.METRICS[metric](labels, best) <= score.METRICS[metric](labels, other) + 1e-12


def test_a_class_that_a_model_does_not_know_was_given_nothing() -> None:
    """It is wrong there, however sure it is of others."""
    labels, given = np.array([0, -1]), np.array([[1.0, 0.0], [1.0, 0.0]])
    assert score.accuracy(labels, given) == 0.5
    assert score.brier(labels, given) == 1.0  # 0 for the first row, 1 + 1 for the second


def test_an_equal_model_is_better_by_chance_as_often_as_promised() -> None:
    """At 97.5 % confidence, one equal challenger in forty passes, not more."""
    random = np.random.default_rng(2)
    passed = 0
    for _ in range(400):
        wish = random.normal(size=500)
        labels = wish + random.logistic(size=500) > 0
        first, second = (wish + 0.5 * random.normal(size=500) for _ in range(2))
        found = difference("roc_auc", labels.astype(np.int8), first, second)
        passed += found is not None and found.low() > 0
    assert 1 <= passed <= 23  # 10 expected; the upper bound is four standard deviations away


def test_one_class_has_no_auc() -> None:
    """Undefined is not zero and not one half: it is left out."""
    labels, given = np.ones(10, dtype=np.int8), np.linspace(0, 1, 10)
    assert np.isnan(score.roc_auc(labels, given))
    assert difference("roc_auc", labels, given, given) is None
    assert "roc_auc" not in score.score(labels, given, {}, [])["all"]


def test_slices_cover_every_row_once() -> None:
    """Rows without a value are a slice too, or their harm would go unseen."""
    columns = {"region": ["a", None, "b", "a"]}
    masks = dict(score.slices(columns, ["region"]))
    assert sorted(masks) == ["region=(none)", "region=a", "region=b"]
    assert np.sum(list(masks.values()), axis=0).tolist() == [1, 1, 1, 1]


def test_holm_keeps_the_chance_of_any_false_alarm() -> None:
    """Step-down: the smallest must pass the hardest test, and the first that fails ends it."""
    assert holm([0.01, 0.02, 0.03]) == [True, True, True]
    assert holm([0.02, 0.02, 0.03]) == [False, False, False]
    assert holm([]) == []


def test_every_metric_that_a_pipeline_may_name_can_be_measured() -> None:
    """The schema and the code must not drift apart."""
    named = Success.model_fields["metric"].annotation.__args__  # type: ignore[union-attr]  # a Literal
    assert set(named) == set(score.METRICS) == set(score.HIGHER_IS_BETTER)


def test_the_label_has_one_name() -> None:
    """The readers of rows do not import DuckDB only for the name of a column."""
    from dropforge.core import dataset

    assert dataset.LABEL == LABEL
