"""How far back training rows go: by rule, or by what would have predicted the pipeline's own past."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from dropforge.contracts.errors import PipelineInvalid
from dropforge.contracts.pipeline import Pipeline, parse
from dropforge.ml import fit, reproduce, window
from dropforge.ml.rows import LABEL, columns_of, labelled, labels_of, weights_of
from tests.ml.shop import YAML, Shop, visits

ROWS = 7200  # 150 days, a visit every half hour


def pipeline(given: str) -> Pipeline:
    """The shop, with this window."""
    return parse(text(given))


def text(given: str) -> str:
    """Of its pipeline.yaml."""
    return YAML.replace("MODE", "static").replace("holdout_days: 5", f"holdout_days: 5, window: {given}")


def history(turns: bool) -> pa.Table:
    """Visits of 150 days; what pages mean `turns` round forty days before the end."""
    rows = visits(ROWS, noise=2.0)
    bought = rows["bought"].to_numpy()
    labels = np.where(np.arange(ROWS) >= ROWS - 40 * 48, 1 - bought, bought) if turns else bought
    return rows.append_column(LABEL, pa.array(labels.astype(np.int8)))


def test_where_the_world_turned_only_the_time_since_is_learned_from() -> None:
    """What was true before is worse than nothing; a fixed choice of all rows would be below a coin."""
    found = window.past(pipeline("auto"), history(turns=True))
    assert found.window in ("the last 14 days", "the last 30 days")
    assert found.tried[found.window] > found.tried["all"] + 0.05


def test_where_nothing_turns_all_is_learned_from() -> None:
    """More rows are better rows; a shorter window must earn its place at most of the moments."""
    rows = history(turns=False)
    found = window.past(pipeline("auto"), rows)
    assert found.window in ("all", "the last 120 days", "all, half as much every 135 days")
    assert found.rows.num_rows >= 0.75 * rows.num_rows
    assert {"all", "the last 30 days", "all, half as much every 45 days"} <= set(found.tried)


@pytest.mark.parametrize(
    ("given", "told", "rows"),
    [("{days: 10}", "the last 10 days", 481), ("{rows: 500}", "the last 500 rows", 500), ("all", "all", ROWS)],
)
def test_a_fixed_window_is_kept_to(given: str, told: str, rows: int) -> None:
    """And tried against nothing."""
    found = window.past(pipeline(given), history(turns=False))
    assert (found.window, found.rows.num_rows, found.tried) == (told, rows, {})


def test_with_a_half_life_the_older_count_less() -> None:
    """A row of one half-life ago counts half; the fit follows the newer."""
    found = window.past(pipeline("{half_life_days: 5}"), history(turns=True))
    weights = weights_of(found.rows)
    assert weights is not None
    assert weights[-1 - 48 * 5] == pytest.approx(0.5)
    columns, labels = columns_of(found.rows), labels_of(found.rows)
    asked: dict[str, Any] = {"region": ["north"], "pages": [20.0]}
    plain, decayed = (fit.fit(pipeline("all"), columns, labels, weights=each) for each in (None, weights))
    assert decayed.predict_proba(asked)[0, 1] < 0.2 < plain.predict_proba(asked)[0, 1]


def test_the_window_is_on_record_and_reproduced() -> None:
    """Who asks what a model was made from must be told of what it left out."""
    shop = Shop(text=text("auto"))
    shop.land("a.csv", 2400)
    from dropforge.ml import trigger

    candidate = trigger.on_request("shop", "r", "a test", "it asked", shop.state, shop.topics, shop.clock)
    assert candidate.lineage.window in candidate.lineage.windows_tried
    assert reproduce.reproduce(candidate, shop.state).same


def test_too_little_past_is_no_ground_to_choose_by() -> None:
    """Then all of it is taken."""
    rows = labelled(history(turns=False).slice(0, 60))
    assert window.past(pipeline("auto"), rows) == window.Past(rows, "all", {})


@pytest.mark.parametrize("given", ["{}", "{days: 3, rows: 500}", "some"])
def test_a_window_has_exactly_one_rule(given: str) -> None:
    """Two would contradict each other."""
    with pytest.raises(PipelineInvalid, match=r"training\.window"):
        pipeline(given)
