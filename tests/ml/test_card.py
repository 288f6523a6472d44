"""What is said of a model beside its metrics: calibration, importance, and the page that tells all of it."""

import numpy as np
import pytest

from dropforge.core import catalogue
from dropforge.ml import calibration, card, fit
from dropforge.ml.importance import importance
from dropforge.ml.rows import columns_of
from tests.ml.published import settle, train, two_versions
from tests.ml.shop import Shop, visits


def test_honest_probabilities_have_no_calibration_error_but_chance() -> None:
    """And probabilities that claim too much have one of the size of the claim."""
    random = np.random.default_rng(3)
    given = random.random(20_000)
    labels = (random.random(20_000) < given).astype(np.int8)
    assert calibration.calibration_error(labels, given) < 0.01
    assert calibration.calibration_error(labels, np.clip(given + 0.1, 0, 1)) == pytest.approx(0.1, abs=0.02)
    assert all(
        abs(each.given - each.observed) < 4 * each.error + 0.01 for each in calibration.reliability(labels, given)
    )


def test_importance_finds_what_decides() -> None:
    """Pages decide whether a visitor buys, the hour does not."""
    rows = visits(1500, noise=0.3)
    labels = rows["bought"].to_numpy().astype(np.int8)
    model = fit.fit(Shop().pipeline, columns_of(rows), labels)
    found = importance(model, columns_of(rows), labels, ["region", "pages", "at"], "roc_auc", seed=0)
    assert next(iter(found)) == "pages"
    assert found["pages"] > 5 * found["at"] > -0.1


def test_the_card_tells_where_a_version_came_from_and_how_good_it_is() -> None:
    """A page that can be sent to whoever asks why."""
    shop = two_versions()
    page = card.card(shop.pipeline, catalogue.find(shop.state, "shop", "2"), shop.state)
    for said in (
        "shop, version 2",
        "It serves now.",
        "gs://landing/shop/clear.csv",
        "region=north",
        "asked for by",
        "pages",
    ):
        assert said in page


def test_text_from_outside_cannot_become_markup() -> None:
    """File names are chosen by whoever drops files."""
    shop = Shop()
    candidate = train(shop, "<script>alert(1)</script>.csv")
    settle(shop, candidate)
    page = card.card(shop.pipeline, catalogue.find(shop.state, "shop", candidate.candidate_id), shop.state)
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
