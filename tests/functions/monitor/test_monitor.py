"""Monitor, on a shop in memory: a region that goes bad is told of, once, and nobody else is."""

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest

from dropforge.contracts import monitoring, places
from dropforge.contracts.events import AlertRaised, BatchAccepted, TrainingRequested
from dropforge.contracts.monitoring import BatchScore
from dropforge.contracts.verdicts import BatchVerdict, Reason
from dropforge.core import champion, history, rollback
from functions.monitor import steps
from tests.ml.crash import Crash, Fuse, Mortal, every_crash
from tests.ml.published import settle, train, two_versions
from tests.ml.shop import Shop


def deliver(shop: Shop, event: BatchAccepted, fuse: Fuse | None = None) -> None:
    """One delivery, by ports that may die."""
    fuse = fuse or Fuse()
    state, topics = Mortal(shop.state, fuse), Mortal(shop.topics, fuse)
    steps.on_batch(event, state, topics, lambda: shop.platform, shop.clock)


def alerts(shop: Shop) -> dict[str, AlertRaised]:
    """Every alert so far, by its key."""
    found = [event for event in shop.topics.published if isinstance(event, AlertRaised)]
    return {event.key: event for event in found}


def actions(shop: Shop) -> list[tuple[str, str]]:
    """What was done to what serves, in its order."""
    return [(entry.action, entry.version) for entry in history.entries(shop.state, "shop")]


def swapped(region: str) -> Callable[[pa.Table], pa.Table]:
    """Turns what happens in a region into its contrary."""

    def change(rows: pa.Table) -> pa.Table:
        here = np.array(rows["region"].to_pylist()) == region
        bought = rows["bought"].to_numpy()
        return rows.set_column(4, "bought", pa.array(np.where(here, 1 - bought, bought)))

    return change


def policy(shop: Shop, does: str) -> None:
    """Deploy the pipeline with a policy, and with regions as small as the shop's watched."""
    text, generation = shop.state.read(places.pipeline_yaml("shop"))
    said = f"\nmonitoring: {{on_accuracy_down: {does}, min_slice_rows: 50}}\n"
    shop.state.replace(places.pipeline_yaml("shop"), text.partition(b"\nmonitoring")[0] + said.encode(), generation)


@pytest.fixture(scope="module")
def serving() -> Shop:
    """A shop with a model that serves."""
    shop = Shop()
    assert settle(shop, train(shop, "a.csv", rows=3000, noise=0.3)).status == "published"
    policy(shop, "tell")
    return shop


@pytest.fixture
def shop(serving: Shop) -> Shop:
    """A copy of it to spoil."""
    return serving.copy()


def test_a_batch_is_scored_by_the_version_that_never_saw_it(shop: Shop) -> None:
    """Accuracy for each region, with an interval, kept for the months to come."""
    event = shop.land("b.csv", rows=1000, noise=0.3)
    deliver(shop, event)
    score = BatchScore.model_validate_json(shop.state.read(monitoring.batch_score("shop", event.batch_id))[0])
    assert score.version == "1"
    assert set(score.slices) == {"all", "region=north", "region=south", "region=west"}
    assert score.slices["all"].rows == 1000
    assert score.slices["all"].low < score.slices["all"].accuracy < score.slices["all"].high
    assert alerts(shop) == {}


def test_a_region_that_goes_bad_raises_an_alert_for_itself_and_for_no_other(shop: Shop) -> None:
    """The alert says what was expected, what was seen, since when, why perhaps, and what was done."""
    deliver(shop, shop.land("b.csv", rows=1000, noise=0.3))
    bad = shop.land("c.csv", rows=1500, noise=0.3, change=swapped("south"))
    deliver(shop, bad)
    found = {alert.subject: alert for alert in alerts(shop).values()}
    assert {"region=south"} <= set(found) <= {"region=south", "all"}
    facts = found["region=south"].facts
    assert float(facts["seen"].split()[1]) < 0.4 < 0.7 < float(facts["expected"].split()[1])
    assert facts["since"].startswith("2024-")
    assert facts["done"] == "Nothing was changed."
    assert "region=south fell from" in found["region=south"].sentence


def test_an_open_alert_is_not_raised_again_and_resolves_once_it_is_well(shop: Shop) -> None:
    """Nobody reads the tenth message of the same; and nobody should have to ask whether it is over."""
    for name in ("c.csv", "d.csv"):
        deliver(shop, shop.land(name, rows=1500, noise=0.3, change=swapped("south")))
    raised = [alert for alert in alerts(shop).values() if alert.subject == "region=south"]
    assert [alert.status for alert in raised] == ["raised"]
    deliver(shop, shop.land("e.csv", rows=1500, noise=0.3))
    told = [alert.status for alert in alerts(shop).values() if alert.subject == "region=south"]
    assert told == ["raised", "resolved"]


def test_a_crash_anywhere_changes_nothing(shop: Shop) -> None:
    """Deliveries are repeated: the same alerts by key, the same watch."""
    event = shop.land("c.csv", rows=1500, noise=0.3, change=swapped("south"))
    calm = shop.copy()
    deliver(calm, event)
    for fuse in every_crash(lambda fuse: deliver(shop.copy(), event, fuse)):
        hurt = shop.copy()
        with pytest.raises(Crash):
            deliver(hurt, event, fuse)
        deliver(hurt, event)
        assert alerts(hurt) == alerts(calm)
        assert hurt.state.read(monitoring.watch("shop"))[0] == calm.state.read(monitoring.watch("shop"))[0]


def test_what_is_wrong_with_the_data_is_the_likely_cause(shop: Shop) -> None:
    """The batch was found unusual when it came, with a diagnosis: nobody shall look for a changed world first.

    Other warnings are no cause: that a column is new explains no lower accuracy.
    """
    event = shop.land("c.csv", rows=1500, noise=0.3, change=swapped("south"))
    place = places.batch_verdict(event.batch)
    found, generation = shop.state.read(place)
    grown = Reason(code="column_new", subject="x", observed=1, expected=2, sentence="'x' is new.")
    why = grown.model_copy(update={"code": "probably_unit_change", "sentence": "'pages' is 1000 times what it was."})
    verdict = BatchVerdict.model_validate_json(found).model_copy(update={"warnings": [grown, why]})
    shop.state.replace(place, verdict.model_dump_json().encode(), generation, verdict.ledger_line())
    deliver(shop, event)
    alert = next(alert for alert in alerts(shop).values() if alert.subject == "region=south")
    assert alert.facts["likely cause"] == why.sentence


def test_the_policy_may_ask_for_a_training(shop: Shop) -> None:
    """Once for an alert, whatever is delivered twice: the request has an id."""
    policy(shop, "retrain")
    event = shop.land("c.csv", rows=1500, noise=0.3, change=swapped("south"))
    deliver(shop, event)
    deliver(shop, event)
    asked = {each.request_id for each in shop.topics.published if isinstance(each, TrainingRequested)}
    assert asked == {f"alert-{event.batch_id}"}


def test_the_policy_may_roll_back_and_says_how_to_undo_it() -> None:
    """The version before serves, held; with one version only, nothing can be done, and that is said."""
    shop = two_versions()
    policy(shop, "rollback")
    deliver(shop, shop.land("c.csv", rows=1500, noise=0.3, change=swapped("south")))
    now, _ = champion.current(shop.state, "shop")
    assert now is not None
    assert (now.version, now.held, now.published_by) == ("1", True, "monitor")
    facts = next(alert.facts for alert in alerts(shop).values() if alert.subject == "region=south")
    assert facts["done"] == "Version 2 no longer serves; version 1 does, and is held."
    assert facts["undo"].startswith("./deploy.sh rollback shop --to 2")


def test_the_policy_may_stop_publishing_until_a_person_releases(shop: Shop) -> None:
    """What serves goes on serving; a challenger is refused as held, and serves once that has ended."""
    policy(shop, "stop")
    bad = shop.land("c.csv", rows=1500, noise=0.3, change=swapped("south"))
    deliver(shop, bad)
    facts = next(alert.facts for alert in alerts(shop).values() if alert.subject == "region=south")
    assert facts["done"] == "Version 1 serves on, and is held: no other is published until it is released."
    assert facts["undo"].startswith("./deploy.sh rollback shop --release")
    judged = settle(shop, train(shop, "d.csv", rows=3000, noise=0.3))
    assert [reason.code for reason in judged.reasons if reason.code == "held"] == ["held"]
    rollback.release("shop", "ada", "it was the source", shop.state, shop.clock)
    deliver(shop, bad)
    assert actions(shop) == [("published", "1"), ("stopped", "1"), ("released", "1")]


def test_a_stop_that_dies_on_its_way_is_made_once(shop: Shop) -> None:
    """Between the hold and what is told of it lies a death; the next delivery finds the hold."""
    policy(shop, "stop")
    event = shop.land("c.csv", rows=1500, noise=0.3, change=swapped("south"))
    calm = shop.copy()
    deliver(calm, event)
    for fuse in every_crash(lambda fuse: deliver(shop.copy(), event, fuse)):
        hurt = shop.copy()
        with pytest.raises(Crash):
            deliver(hurt, event, fuse)
        deliver(hurt, event)
        assert alerts(hurt) == alerts(calm)
        assert actions(hurt) == [("published", "1"), ("stopped", "1")]


def test_what_was_stopped_may_still_be_rolled_back() -> None:
    """The hold of a stop is no rollback: going back leads to the version before, not nowhere."""
    shop = two_versions()
    policy(shop, "stop")
    deliver(shop, shop.land("c.csv", rows=1500, noise=0.3, change=swapped("south")))
    now = rollback.rollback("shop", "ada", "odd answers", shop.state, shop.platform, shop.clock)
    assert (now.version, now.held, now.action) == ("1", True, "rolled_back")


def test_what_has_no_model_is_not_watched() -> None:
    """The first batch of all is nobody's fault."""
    shop = Shop()
    deliver(shop, shop.land("a.csv"))
    assert shop.topics.published == []
