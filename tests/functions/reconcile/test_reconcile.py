"""Whatever event was lost, what it was about comes to its end; and a person is told, but not again and again."""

from datetime import UTC, datetime, timedelta

import pytest

from dropforge.contracts import places
from dropforge.contracts.events import AlertRaised, BatchAccepted, Event, FileMissed, ModelTrained
from functions.reconcile.steps import ATTEMPTS, reconcile
from functions.train import steps as train
from tests.functions.drops import HEADER, Died, Shop
from tests.ml.shop import Shop as LearningShop

ROWS = HEADER + "1,2013-01-01,9.5,big,\n"
LATER = datetime.now(UTC) + timedelta(hours=1)


def world(shop: LearningShop) -> train.World:
    """What a training takes of it."""
    return train.World(shop.state, shop.topics, shop.clock, lambda: shop.jobs)


def sent(shop: Shop | LearningShop, at: datetime = LATER) -> list[Event]:
    """What a round of the reconciler publishes, beside alerts."""
    before = len(shop.topics.published)
    reconcile(getattr(shop, "landing", None) or Shop().landing, shop.state, shop.topics, at)
    return [event for event in shop.topics.published[before:] if not isinstance(event, AlertRaised)]


def test_file_whose_event_was_lost_is_taken_in(shop: Shop) -> None:
    """The event that makes up for it names exactly the generation that lies there."""
    source = shop.put(ROWS)
    (missed,) = sent(shop)
    assert isinstance(missed, FileMissed)
    assert missed.source == source
    staged = shop.ingest(missed.source)
    assert staged is not None
    assert shop.validate(staged.batch).rows_accepted == 1
    assert [alert.code for alert in shop.alerts()] == ["redriven"]


def test_batch_whose_event_was_lost_is_judged(shop: Shop) -> None:
    """ingest had done its work, validate never heard of it."""
    staged = shop.ingest(shop.put(ROWS))
    assert staged is not None
    assert [event.topic for event in sent(shop)] == ["batch-staged"]


def test_what_is_young_is_left_to_the_platforms_retries(shop: Shop) -> None:
    """Most of what has no verdict yet is only under way."""
    shop.put(ROWS)
    assert sent(shop, datetime.now(UTC) + timedelta(minutes=14)) == []


def test_what_is_done_is_left_alone() -> None:
    """Files with verdicts, folders' placeholders, and objects without bytes."""
    learning = LearningShop()
    train.on_batch(learning.land("a.csv", rows=400), "1", world(learning))
    assert sent(learning) == []
    shop = Shop().deploy()
    shop.put("", "shop/")
    shop.put("", "shop/empty.csv")
    assert sent(shop) == []


def test_second_delivery_of_one_tick_sends_nothing(shop: Shop) -> None:
    """Cloud Scheduler's message comes at least once, too."""
    shop.put(ROWS)
    assert len(sent(shop)) == 1
    assert sent(shop) == []


def test_what_stays_stuck_is_given_up_with_two_alerts(shop: Shop) -> None:
    """Ten rounds: five events, a warning at first and an error at the end."""
    shop.put(ROWS)
    events = [sent(shop, LATER + timedelta(minutes=15 * round_)) for round_ in range(10)]
    assert [len(each) for each in events] == [1] * ATTEMPTS + [0] * (10 - ATTEMPTS)
    assert [(alert.code, alert.severity) for alert in shop.alerts()] == [("redriven", "warning"), ("stuck", "error")]


def test_file_that_no_table_takes_is_told_once(shop: Shop) -> None:
    """To send it on would only be refused again."""
    shop.put(ROWS, "shop/nosuch/sales.csv")
    assert sent(shop) == []
    assert sent(shop, LATER + timedelta(hours=1)) == []
    assert [(alert.code, alert.subject) for alert in shop.alerts()] == [("stuck", "gs://landing/shop/nosuch/sales.csv")]


def test_file_dropped_before_its_pipeline_was_deployed_is_taken_in() -> None:
    """Its event was refused then, for good."""
    shop = Shop()
    shop.put(ROWS)
    assert sent(shop) == []
    assert [event.topic for event in sent(shop.deploy())] == ["file-missed"]


def test_accepted_batch_of_which_nobody_decided_is_told_to_train() -> None:
    """One event for all of them, since a decision is about everything accepted."""
    shop = LearningShop()
    first, last = shop.land("a.csv", rows=400), shop.land("b.csv", rows=400)
    assert first != last
    assert [type(event) for event in sent(shop)] == [BatchAccepted]


def test_training_that_died_after_its_decision_is_made_up_for() -> None:
    """A decision without a model: the event is sent as a new one, which decides again and trains."""
    shop = LearningShop()
    event = shop.land("a.csv")
    train.on_batch(event, "1", world(shop))
    lost = LearningShop()
    again = lost.land("a.csv")
    place = places.training_decision("shop", "1")
    lost.state.create(place, shop.state.read(place)[0].replace(event.batch_id.encode(), again.batch_id.encode()))
    assert sent(lost) == [again]


def test_candidate_that_was_never_judged_is_told_to_publish() -> None:
    """model.trained was lost."""
    shop = LearningShop()
    train.on_batch(shop.land("a.csv"), "1", world(shop))
    (trained,) = (event for event in shop.topics.published if isinstance(event, ModelTrained))
    assert sent(shop) == [trained]


def test_pipeline_that_cannot_be_read_is_told_and_stops_no_other(shop: Shop) -> None:
    """One team's mistake is not another's."""
    shop.state.create(places.pipeline_yaml("another"), b"pipeline: [")
    shop.put(ROWS)
    assert [event.topic for event in sent(shop)] == ["file-missed"]
    assert {alert.pipeline for alert in shop.alerts()} == {"another", "shop"}


@pytest.mark.parametrize("at", [1, 2, 3])
@pytest.mark.parametrize("after", [True, False])
def test_death_at_any_write_leaves_no_file_behind(shop: Shop, at: int, after: bool) -> None:
    """The next tick does what this one left."""
    shop.put(ROWS)
    dying = shop.dying(at, after)
    with pytest.raises(Died):
        reconcile(dying.landing, dying.state, dying.topics, LATER)
    reconcile(shop.landing, shop.state, shop.topics, LATER + timedelta(minutes=15))
    assert any(isinstance(event, FileMissed) for event in shop.topics.published)
    assert "redriven" in {alert.code for alert in shop.alerts()}
