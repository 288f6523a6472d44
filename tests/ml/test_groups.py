"""Entities that repeat are not on both sides of a split; and of too many rows a share is read, always the same."""

import numpy as np
import pyarrow as pa
import pytest

from dropforge.contracts.errors import PipelineInvalid
from dropforge.contracts.pipeline import Pipeline, parse
from dropforge.core.dataset import read_rows
from dropforge.ml import choose, groups, reproduce, training, trigger
from dropforge.ml.rows import LABEL
from tests.ml.shop import YAML, Shop, visits

TEXT = YAML.replace("holdout_days: 5", "holdout_days: 10, group: visitor").replace(
    "      pages:", "      visitor: {type: category}\n      pages:"
)


def pipeline() -> Pipeline:
    """The shop, whose visitors come again and again."""
    return parse(TEXT.replace("MODE", "static").replace("models: [boosting]", "models: [boosting, logistic]"))


def with_visitors(rows: pa.Table) -> pa.Table:
    """The visits, of a hundred visitors, some of them not known."""
    names = [f"visitor {number % 100}" if number % 101 else None for number in range(rows.num_rows)]
    return rows.append_column("visitor", pa.array(names))


def test_nobody_is_on_both_sides_of_the_split() -> None:
    """Or the holdout measures how well the model remembers."""
    rows = with_visitors(visits(3000))
    split = training.split_by_time(pipeline(), rows.append_column(LABEL, rows["bought"].cast("int8")))
    learned, judged = (set(part["visitor"].to_pylist()) for part in (split.train, split.holdout))
    assert learned and judged
    assert not learned & judged
    assert len(learned) + len(judged) == 101  # the unknown visitor is one of them


def test_an_entity_stays_where_it_is() -> None:
    """In every training, so that the champion has not seen whom the challenger is judged on."""
    names = pa.chunked_array([[f"visitor {number}" for number in range(2000)]])
    shares = np.bincount(groups.parts(names)) / 2000
    assert shares == pytest.approx(np.full(groups.PARTS, 0.2), abs=0.03)
    assert (groups.parts(names.take(pa.array([7, 7, 3]))) == groups.parts(names)[[7, 7, 3]]).all()


def test_the_choice_of_a_recipe_keeps_them_apart_too() -> None:
    """Else it would prefer what remembers best."""
    rows = with_visitors(visits(3000))
    for before, block in choose.later_blocks(pipeline(), rows.append_column(LABEL, rows["bought"].cast("int8"))):
        assert not set(before["visitor"].to_pylist()) & set(block["visitor"].to_pylist())


def test_a_group_must_be_a_column() -> None:
    """Said when it is deployed."""
    with pytest.raises(PipelineInvalid, match="'group' names 'nobody', which is no column of 'visits'"):
        parse(TEXT.replace("MODE", "static").replace("group: visitor", "group: nobody"))


def test_of_too_many_rows_a_share_is_read_and_said() -> None:
    """The memory of a function ends somewhere; who reads the lineage must know what was left out."""
    shop = Shop(text=YAML.replace("holdout_days: 5", "holdout_days: 5, most_rows: 1000"))
    shop.land("a.csv", 2400)
    candidate = trigger.on_request("shop", "r", "a test", "it asked", shop.state, shop.topics, shop.clock)
    assert candidate.lineage.rows_share == 0.4166
    assert candidate.lineage.rows_train + candidate.lineage.rows_holdout == pytest.approx(1000, abs=80)
    assert reproduce.reproduce(candidate, shop.state).same


def test_a_larger_share_has_all_rows_of_a_smaller_one() -> None:
    """Chosen by the key, not by chance: a later training does not read quite other rows."""
    shop = Shop()
    shop.land("a.csv", 2400)
    lines = trigger.accepted(shop.state, shop.pipeline)
    small, large = (
        set(read_rows(shop.pipeline, lines, shop.state, share=each)["id"].to_pylist()) for each in (0.2, 0.5)
    )
    assert small < large
    assert len(large) == pytest.approx(1200, abs=100)
