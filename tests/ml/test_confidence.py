"""What is estimated without labels is what the labels then say, as long as probabilities keep their meaning."""

import numpy as np
import pytest
from numpy.typing import NDArray

from dropforge.ml import score
from dropforge.ml.confidence import Calibrated, estimate

Rows = tuple[NDArray[np.int8], NDArray[np.float64]]


def rows(seed: int, count: int = 20_000, hard: float = 0.3, turned: bool = False) -> Rows:
    """Labels and probabilities; a share of the rows is hard to tell. What is given is too sure of itself."""
    random = np.random.default_rng(seed)
    spread = np.where(random.random(count) < hard, 0.3, 2.5)
    wish = random.normal(0, spread)
    labels = (random.random(count) < 1 / (1 + np.exp(wish if turned else -wish))).astype(np.int8)
    return labels, 1 / (1 + np.exp(-2 * wish))


@pytest.fixture(scope="module")
def meaning() -> Calibrated:
    """Calibrated where few rows are hard."""
    return Calibrated(*rows(1))


@pytest.mark.parametrize("hard", [0.1, 0.3, 0.6, 0.9])
def test_it_sees_that_rows_became_harder(meaning: Calibrated, hard: float) -> None:
    """Other rows, same meaning: within its own bounds for accuracy, and one hundredth for the ranking."""
    labels, given = rows(2, hard=hard)
    found = estimate(meaning, given)
    truth = float(score.right(labels, given).mean())
    assert found.low - 0.005 < truth < found.high + 0.005
    assert found.roc_auc == pytest.approx(score.roc_auc(labels, given), abs=0.01)


def test_it_does_not_see_that_the_world_turned(meaning: Calibrated) -> None:
    """The assumption, stated as a test: nobody shall take the estimate for a measurement."""
    labels, given = rows(3, turned=True)
    assert estimate(meaning, given).accuracy > 0.7
    assert float(score.right(labels, given).mean()) < 0.4


def test_too_few_rows_to_calibrate_on_are_an_error() -> None:
    """A curve through a handful of points would be made up."""
    labels, given = rows(4, count=99)
    with pytest.raises(ValueError, match="at least 100 labelled rows"):
        Calibrated(labels, given)


def test_rows_of_which_no_order_is_expected_have_no_ranking(meaning: Calibrated) -> None:
    """All sure to be negative: there is no pair to put in order."""
    certain = Calibrated(np.zeros(200, dtype=np.int8), np.linspace(0, 1, 200))
    assert estimate(certain, np.array([0.1, 0.2])).roc_auc is None
    assert estimate(meaning, np.array([0.4])).rows == 1
