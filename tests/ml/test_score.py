"""Metrics and paired comparisons, against scikit-learn's and against resampling."""

import numpy as np
import pytest
import sklearn.metrics

from dropforge.contracts.pipeline import Success
from dropforge.ml import score
from dropforge.ml.paired import difference, holm
from dropforge.ml.rows import LABEL

REFERENCE = {
    "roc_auc": sklearn.metrics.roc_auc_score,
    "log_loss": sklearn.metrics.log_loss,
    "brier": sklearn.metrics.brier_score_loss,
    "accuracy": lambda labels, given: sklearn.metrics.accuracy_score(labels, given > 0.5),
}
Drawn = tuple[np.ndarray, np.ndarray, np.ndarray]


@pytest.fixture
def drawn() -> Drawn:
    """Labels, a good model's probabilities and a slightly worse one's; rounded, so that there are ties."""
    random = np.random.default_rng(5)
    wish = random.normal(size=2000)
    labels = (wish + random.logistic(size=2000) > 0.5).astype(np.int8)
    good, worse = (1 / (1 + np.exp(-(wish + noise * random.normal(size=2000)))) for noise in (0.3, 0.8))
    return labels, good.round(2).clip(0.01, 0.99), worse.round(2).clip(0.01, 0.99)


@pytest.mark.parametrize("metric", score.METRICS)
def test_metrics_are_those_of_scikit_learn(metric: str, drawn: Drawn) -> None:
    """Ours import in a fraction of the time and have no warnings to silence; they must not differ."""
    labels, good, _ = drawn
    assert score.METRICS[metric](labels, good) == pytest.approx(REFERENCE[metric](labels, good), abs=1e-12)


@pytest.mark.parametrize("metric", score.METRICS)
def test_the_error_of_a_difference_is_that_of_resampling(metric: str, drawn: Drawn) -> None:
    """A standard error that is too small publishes noise; too large, and nothing gets through."""
    labels, good, worse = drawn
    random = np.random.default_rng(1)
    sign = 1 if score.HIGHER_IS_BETTER[metric] else -1
    measure = score.METRICS[metric]
    resampled = []
    for _ in range(400):
        rows = random.integers(0, len(labels), len(labels))
        resampled.append(sign * (measure(labels[rows], good[rows]) - measure(labels[rows], worse[rows])))
    found = difference(metric, labels, good, worse)
    assert found is not None
    assert found.estimate == pytest.approx(sign * (measure(labels, good) - measure(labels, worse)), abs=1e-12)
    assert found.error == pytest.approx(np.std(resampled), rel=0.15)  # 400 resamples know it to about 4 %
    assert found.low() > 0


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
