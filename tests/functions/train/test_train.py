"""When a batch starts a training, and that it does so once."""

import pytest

from dropforge.contracts import places
from dropforge.contracts.errors import LeaseHeld, NotEnoughData
from dropforge.contracts.events import ModelTrained
from dropforge.core import candidates, lease
from tests.functions.train.delivery import decision, deliver
from tests.ml.crash import Crash, Fuse, every_crash
from tests.ml.shop import Shop


def trained(shop: Shop) -> set[str]:
    """The candidates that were announced."""
    return {event.candidate_id for event in shop.topics.published if isinstance(event, ModelTrained)}


def test_enough_new_rows_make_a_candidate_with_its_lineage() -> None:
    """The whole of the step: what a candidate is made of is what reproduces and explains it."""
    shop = Shop()
    event = shop.land("a.csv")
    deliver(shop, event)
    (candidate_id,) = trained(shop)
    candidate = candidates.find(shop.state, "shop", candidate_id)
    assert candidate is not None
    lineage = candidate.lineage
    assert [batch.batch_id for batch in lineage.batches] == [event.batch_id]
    assert lineage.rows_train + lineage.rows_holdout == 600
    assert lineage.rows_holdout == 5 * 48 + 1  # a visit every half hour; the last one is five days after the split
    assert lineage.asked_by == f"batch {event.batch_id}"
    assert candidate.metrics["all"]["roc_auc"] > 0.65
    assert {"region=north", "region=south", "region=west"} < set(candidate.metrics)
    assert candidate.metrics["region=north"]["rows"] > 20


def test_too_few_new_rows_are_a_recorded_decision() -> None:
    """Nobody should have to guess why there is no training."""
    shop = Shop()
    deliver(shop, shop.land("a.csv", rows=400))
    assert not trained(shop)
    assert not decision(shop).train
    assert decision(shop).because == "400 labelled rows are new since the beginning; 500 start a training."


def test_rows_that_the_newest_candidate_knows_are_not_new() -> None:
    """Else every batch after the first training would start another."""
    shop = Shop()
    deliver(shop, shop.land("a.csv"), "1")
    deliver(shop, shop.land("b.csv", rows=100), "2")
    assert len(trained(shop)) == 1
    assert decision(shop, "2").new_rows == 100


def test_a_static_pipeline_never_trains_on_events() -> None:
    """Static means: on request only."""
    shop = Shop(mode="static")
    deliver(shop, shop.land("a.csv"))
    assert not trained(shop)
    assert "on request only" in decision(shop).because


def test_a_second_delivery_announces_the_same_candidate() -> None:
    """Delivery is at least once; the judge recognises a candidate by its id."""
    shop = Shop()
    event = shop.land("a.csv")
    deliver(shop, event)
    before = dict(shop.state._versions)
    deliver(shop, event)
    assert len(trained(shop)) == 1
    assert set(shop.state._versions) == set(before)


def test_triggers_during_a_training_coalesce_into_one_more() -> None:
    """Three batches that come while one trains must not become three trainings."""
    shop = Shop()
    events = [shop.land(f"{name}.csv") for name in "abc"]
    with lease.held(shop.state, places.lease("shop", "train"), "another", 600, shop.clock):
        for index, event in enumerate(events):
            with pytest.raises(LeaseHeld):
                deliver(shop, event, str(index))
    for index, event in enumerate(events):
        deliver(shop, event, str(index))
    (candidate_id,) = trained(shop)
    found = candidates.find(shop.state, "shop", candidate_id)
    assert found is not None
    assert len(found.lineage.batches) == 3


def test_one_class_only_is_not_enough_data() -> None:
    """A model of one class would be a constant with a false air of knowledge. The edge acknowledges and alerts."""
    shop = Shop()
    event = shop.land("a.csv", change=lambda rows: rows.set_column(4, "bought", [[1] * rows.num_rows]))
    with pytest.raises(NotEnoughData, match="positive"):
        deliver(shop, event)
    assert decision(shop).train


def test_a_crash_anywhere_and_a_redelivery_give_the_same_state() -> None:
    """Effects are exactly once, however often and wherever a run dies."""
    start = Shop()
    event = start.land("a.csv")

    def run(fuse: Fuse) -> None:
        deliver(start.copy(), event, fuse=fuse)

    expected = start.copy()
    deliver(expected, event)
    for fuse in every_crash(run):
        shop = start.copy()
        with pytest.raises(Crash):
            deliver(shop, event, fuse=fuse)
        deliver(shop, event)
        assert trained(shop) == trained(expected)
        assert contents(shop) == contents(expected)


def contents(shop: Shop) -> dict[str, bytes]:
    """What lies in the state bucket, save what tells the seconds a step took or who held a lease."""
    return {
        name: shop.state.read(name)[0]
        for name in shop.state._versions
        if not name.endswith("candidate.json") and not name.startswith("leases/")
    }
