"""How soon one training follows another, and that what waited is trained on once."""

from datetime import UTC, datetime, timedelta

from dropforge.contracts import places
from dropforge.contracts.events import AlertRaised, BatchAccepted, ModelTrained
from dropforge.contracts.models import TrainingDecision
from dropforge.contracts.pipeline import Training
from dropforge.core import candidates
from dropforge.core.candidates import Made
from dropforge.ml import pace
from functions.reconcile.steps import reconcile
from tests.commands.cli import Cli
from tests.commands.conftest import cli
from tests.functions.drops import Shop as DropShop
from tests.functions.train import delivery
from tests.ml.shop import YAML, Shop

__all__ = ["cli"]
NOW = datetime(2024, 3, 1, 12, tzinfo=UTC)


def paced(rules: str) -> Shop:
    """A shop whose training keeps to these rules."""
    shop = Shop()
    place = places.pipeline_yaml("shop")
    text = YAML.replace("MODE", "dynamic").replace("seed: 3", f"seed: 3, {rules}")
    shop.state.replace(place, text.encode(), shop.state.stat(place).generation)
    return shop


def deliver(shop: Shop, event: BatchAccepted, event_id: str) -> TrainingDecision:
    """One delivery, and what was decided."""
    delivery.deliver(shop, event, event_id)
    return delivery.decision(shop, event_id)


def trainings(shop: Shop) -> list[int]:
    """The batches of each candidate that was announced, in order."""
    made = [event.candidate_id for event in shop.topics.published if isinstance(event, ModelTrained)]
    found = [candidates.find(shop.state, "shop", candidate_id) for candidate_id in made]
    return [len(candidate.lineage.batches) for candidate in found if candidate]


def later(shop: Shop, minutes: int) -> datetime:
    """Minutes pass; a round of the reconciler; the time it is."""
    shop.clock.seconds += 60 * minutes
    at = datetime.fromtimestamp(shop.clock.seconds, UTC)
    reconcile(DropShop().landing, shop.state, shop.topics, at)
    return at


def test_within_the_cool_down_the_reason_and_the_end_are_recorded() -> None:
    """Nobody should have to guess why enough rows start nothing."""
    shop = paced("cool_down_minutes: 60")
    deliver(shop, shop.land("a.csv"), "1")
    decision = deliver(shop, shop.land("b.csv"), "2")
    assert not decision.train
    assert decision.wait_until == datetime.fromtimestamp(shop.clock.seconds + 3600, UTC).isoformat()
    assert "600 labelled rows are new" in decision.because
    assert "60 minutes must pass" in decision.because


def test_what_waited_is_trained_on_once_when_a_batch_comes_after_the_cool_down() -> None:
    """Three triggers in a row are one training."""
    shop = paced("cool_down_minutes: 60")
    for index, name in enumerate("abc"):
        deliver(shop, shop.land(f"{name}.csv"), str(index))
    shop.clock.seconds += 3600
    assert deliver(shop, shop.land("d.csv", rows=10), "4").train
    assert trainings(shop) == [1, 4]


def test_what_waited_is_sent_again_by_the_reconciler_where_no_batch_comes() -> None:
    """Else the last files of a day would wait for the next day's. It is planned, so nobody is alerted."""
    shop = paced("cool_down_minutes: 60")
    for index, name in enumerate("abc"):
        deliver(shop, shop.land(f"{name}.csv"), str(index))
    before = len(shop.topics.published)
    later(shop, 59)
    assert shop.topics.published[before:] == []
    later(shop, 17)
    (again,) = shop.topics.published[before:]
    assert isinstance(again, BatchAccepted)
    deliver(shop, again, "sent again")
    assert trainings(shop) == [1, 3]
    later(shop, 60)
    assert not [event for event in shop.topics.published if isinstance(event, AlertRaised)]
    assert trainings(shop) == [1, 3]


def test_too_few_rows_are_the_reason_also_within_the_cool_down() -> None:
    """A wait that would end in no training is none."""
    shop = paced("cool_down_minutes: 60")
    deliver(shop, shop.land("a.csv"), "1")
    assert deliver(shop, shop.land("b.csv", rows=10), "2").wait_until is None


def test_the_budget_ends_when_the_oldest_run_that_fills_it_is_a_day_old() -> None:
    """With two a day, the third waits for the first to leave the 24 hours."""
    made = [Made(NOW - timedelta(hours=hours)) for hours in (30, 20, 1)]
    training = Training(mode="dynamic", runs_per_day=2)
    found = pace.wait(training, made, NOW)
    assert found is not None
    assert found.until == NOW + timedelta(hours=4)
    assert "2 candidates" in found.because
    assert pace.wait(training, made, NOW + timedelta(hours=4)) is None


def test_a_budget_of_cost_counts_what_trainings_took_and_what_the_next_one_is_expected_to() -> None:
    """Three hours of the day are spent, one more is wanted, and three in all are paid for."""
    made = [Made(NOW - timedelta(hours=hours), seconds=3600) for hours in (30, 20, 10, 1)]
    training = Training(mode="dynamic", cost_per_day=3, price_per_hour=1)
    assert pace.wait(training, made, NOW, expected_seconds=0) is None
    found = pace.wait(training, made, NOW, expected_seconds=3600)
    assert found is not None
    assert found.until == NOW + timedelta(hours=4)
    assert "cost 3.00, this one is expected to cost 1.00, and 3 are allowed" in found.because
    assert pace.wait(training, made, found.until, expected_seconds=3600) is None
    assert pace.wait(training, [], NOW, expected_seconds=36000) is None


def test_decisions_are_listed_the_newest_first(cli: Cli) -> None:
    """`./deploy.sh decisions`: what nobody should have to guess."""
    shop = paced("cool_down_minutes: 60")
    for index, name in enumerate("ab"):
        deliver(shop, shop.land(f"{name}.csv"), str(index))
    told = cli.ask(shop, "decisions", "shop")
    assert [(one["trigger"], one["train"]) for one in told] == [("1", False), ("0", True)]
    assert told[1]["expected"]["seconds"] > 0
    _, out, _ = cli.tell(shop, "decisions", "shop")
    assert "waits" in out
    assert "60 minutes" in told[0]["because"], "in the table a line may end between the two"


def test_the_longer_wait_counts() -> None:
    """Cool-down and budget both hold."""
    training = Training(mode="dynamic", runs_per_day=1, cool_down_minutes=60)
    found = pace.wait(training, [Made(NOW)], NOW)
    assert found is not None
    assert found.until == NOW + timedelta(hours=24)


def test_nothing_stands_in_the_way_by_default() -> None:
    """And nothing before the first training."""
    assert pace.wait(Training(mode="dynamic"), [Made(NOW), Made(NOW)], NOW) is None
    assert pace.wait(Training(mode="dynamic", runs_per_day=1, cool_down_minutes=60), [], NOW) is None
