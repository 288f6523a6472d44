"""From a candidate to what serves, through every crash and collision."""

from typing import Any

import pytest

from dropforge.contracts import places
from dropforge.contracts.errors import JobFailed, LeaseHeld, NotFound
from dropforge.contracts.events import AlertRaised, ModelPublished, ModelRefused, ModelTrained
from dropforge.contracts.verdicts import ModelVerdict
from dropforge.core import champion, history, lease
from dropforge.core.ports import Deployed
from functions.publish import steps
from tests.ml import published
from tests.ml.crash import Crash, Fuse, Mortal, every_crash
from tests.ml.shop import Shop


def train(shop: Shop, name: str, **given: Any) -> ModelTrained:
    """What says that there is a candidate on all that has landed, this file included."""
    return ModelTrained(pipeline="shop", candidate_id=published.train(shop, name, **given).candidate_id)


def deliver(shop: Shop, event: ModelTrained, event_id: str = "1", fuse: Fuse | None = None) -> None:
    """One delivery, by ports that may die."""
    fuse = fuse or Fuse()
    state, topics, platform = (Mortal(port, fuse) for port in (shop.state, shop.topics, shop.platform))
    steps.on_trained(event, event_id, state, topics, platform, shop.clock)


def serving(shop: Shop) -> dict[str, Any]:
    """The state that matters: pointer, traffic, alias, deployments, history."""
    return {
        "champion": champion.current(shop.state, "shop")[0],
        "traffic": shop.platform.traffic,
        "alias": shop.platform.alias,
        "deployed": shop.platform.deployed,
        "history": list(history.entries(shop.state, "shop")),
    }


def events(shop: Shop) -> set[str]:
    """What was said, repeats counted once."""
    return {event.model_dump_json() for event in shop.topics.published}


def verdict(shop: Shop, event: ModelTrained) -> ModelVerdict:
    """The judge's word on a candidate."""
    return ModelVerdict.model_validate_json(shop.state.read(places.model_verdict("shop", event.candidate_id))[0])


@pytest.fixture(scope="module")
def waiting() -> tuple[Shop, ModelTrained]:
    """A champion of noisy rows, and a much better challenger waiting."""
    shop = Shop()
    deliver(shop, train(shop, "noisy.csv", rows=600), "0")
    assert shop.platform.traffic == {"endpoints/shop": "1"}
    return shop, train(shop, "clear.csv", rows=3000, noise=0.3)


@pytest.fixture
def better(waiting: tuple[Shop, ModelTrained]) -> tuple[Shop, ModelTrained]:
    """A copy of it to spoil."""
    shop, event = waiting
    return shop.copy(), event


@pytest.fixture
def weak_first() -> Shop:
    """Nothing serves yet."""
    return Shop()


def test_the_first_model_serves_once_it_beats_a_constant(weak_first: Shop) -> None:
    """Without a champion there is still something to beat."""
    event = train(weak_first, "a.csv")
    deliver(weak_first, event)
    now, _ = champion.current(weak_first.state, "shop")
    assert now is not None
    assert (now.candidate_id, now.version) == (event.candidate_id, "1")
    assert weak_first.platform.traffic == {"endpoints/shop": "1"}
    assert weak_first.topics.published[-1] == ModelPublished(
        pipeline="shop", candidate_id=event.candidate_id, version="1"
    )


def test_a_better_model_replaces_the_champion(better: tuple[Shop, ModelTrained]) -> None:
    """Traffic, alias, history and what is deployed all follow the pointer."""
    shop, event = better
    deliver(shop, event)
    found = serving(shop)
    assert found["champion"].candidate_id == event.candidate_id
    assert found["traffic"] == {"endpoints/shop": "2"}
    assert found["alias"] == {"models/shop": "2"}
    assert found["deployed"] == {"endpoints/shop": {"2"}}
    assert [entry.version for entry in found["history"]] == ["1", "2"]
    assert found["history"][1].replaced == found["history"][0].candidate_id
    assert verdict(shop, event).champion_id == found["history"][0].candidate_id


def test_a_worse_model_is_refused_with_reasons_and_an_alert() -> None:
    """A refusal that nobody hears of, or understands, is a failure in silence."""
    shop = Shop()
    deliver(shop, train(shop, "clear.csv", noise=0.3), "0")
    before = serving(shop)
    assert before["traffic"]
    event = train(shop, "nonsense.csv", rows=3000, change=published.shuffled)
    deliver(shop, event)
    assert serving(shop) == before
    assert verdict(shop, event).status == "refused"
    alert, refused = shop.topics.published[-2:]
    assert isinstance(alert, AlertRaised)
    assert isinstance(refused, ModelRefused)
    assert alert.severity == "warning"
    assert "Its roc_auc of" in alert.sentence


def test_a_second_delivery_changes_nothing(better: tuple[Shop, ModelTrained]) -> None:
    """Delivery is at least once."""
    shop, event = better
    deliver(shop, event)
    before, said = serving(shop), events(shop)
    deliver(shop, event)
    assert serving(shop) == before
    assert events(shop) == said


def test_a_crash_anywhere_and_a_redelivery_end_in_the_same_state(better: tuple[Shop, ModelTrained]) -> None:
    """The champion pointer is the commit: before it nothing serves anew, after it a repeat completes the rest."""
    start, event = better
    expected = start.copy()
    deliver(expected, event)
    served_before = serving(start)["traffic"]
    for fuse in every_crash(lambda fuse: deliver(start.copy(), event, fuse=fuse)):
        shop = start.copy()
        with pytest.raises(Crash):
            deliver(shop, event, fuse=fuse)
        assert shop.platform.traffic in (served_before, serving(expected)["traffic"])
        deliver(shop, event)
        assert serving(shop) == serving(expected)
        assert events(shop) == events(expected)


def test_a_crash_while_refusing_ends_in_the_same_refusal() -> None:
    """A verdict is written once, and its events are sent until someone has acknowledged them."""
    start = Shop()
    deliver(start, train(start, "clear.csv", noise=0.3), "0")
    event = train(start, "nonsense.csv", rows=1000, change=published.shuffled)
    expected = start.copy()
    deliver(expected, event)
    for fuse in every_crash(lambda fuse: deliver(start.copy(), event, fuse=fuse)):
        shop = start.copy()
        with pytest.raises(Crash):
            deliver(shop, event, fuse=fuse)
        deliver(shop, event)
        assert serving(shop) == serving(expected)
        assert events(shop) == events(expected)


class Overtaken:
    """A state bucket in which another publication moves the champion pointer just before ours does."""

    def __init__(self, shop: Shop, other: Any) -> None:
        self._shop = shop
        self._other = other

    def __getattr__(self, name: str) -> Any:
        return getattr(self._shop.state, name)

    def replace(self, name: str, *given: Any, **named: Any) -> int:
        """As `Objects.replace`."""
        if name == places.champion("shop") and self._other is not None:
            other, self._other = self._other, None
            other()
        return self._shop.state.replace(name, *given, **named)


def test_the_loser_of_two_publications_is_judged_again(better: tuple[Shop, ModelTrained]) -> None:
    """Beating a champion that serves no longer says nothing about the one that does."""
    shop, slower = better
    faster = train(shop, "clearest.csv", rows=3000, noise=0.1)

    def other() -> None:
        shop.clock.seconds += 700  # the slower one's lease has run out
        deliver(shop, faster, "2")

    steps.on_trained(slower, "1", Overtaken(shop, other), shop.topics, shop.platform, shop.clock)
    now, _ = champion.current(shop.state, "shop")
    assert now is not None
    assert now.candidate_id == faster.candidate_id
    assert shop.platform.traffic == {"endpoints/shop": now.version}
    assert verdict(shop, slower).status == "refused"
    assert [reason.code for reason in verdict(shop, slower).reasons] == ["stale"]


def test_one_publication_at_a_time(better: tuple[Shop, ModelTrained]) -> None:
    """Else one could undeploy what the other is about to publish."""
    shop, event = better
    held = lease.held(shop.state, places.lease("shop", "publish"), "another", 600, shop.clock)
    with held, pytest.raises(LeaseHeld):
        deliver(shop, event)


def test_a_server_that_answers_otherwise_than_in_training_is_refused(better: tuple[Shop, ModelTrained]) -> None:
    """The artefact must do in the real server what it did when it was judged."""
    shop, event = better
    before = serving(shop)
    shop.platform.server = lambda _, instances: [{"probability": 0.5} for _ in instances]
    deliver(shop, event)
    assert verdict(shop, event).status == "refused"
    assert verdict(shop, event).reasons[-1].code == "server_disagrees"
    assert serving(shop)["champion"] == before["champion"]
    assert serving(shop)["traffic"] == before["traffic"]


def test_a_version_that_is_much_slower_than_the_champion_is_refused(better: tuple[Shop, ModelTrained]) -> None:
    """What is right but late is no answer; measured where it would serve, before it does."""
    shop, event = better
    shop.platform.seconds["2"] = 0.0025
    deliver(shop, event)
    assert verdict(shop, event).status == "refused"
    assert verdict(shop, event).reasons[-1].code == "too_slow"
    assert "2.5 ms, the champion's in 1.0" in verdict(shop, event).reasons[-1].sentence
    assert shop.platform.traffic == {"endpoints/shop": "1"}


@pytest.mark.parametrize(("rule", "code"), [("max_latency_ms: 0.5", "too_slow"), ("max_size_mb: 0.001", "too_large")])
def test_limits_that_are_given_hold_for_the_first_model_too(weak_first: Shop, rule: str, code: str) -> None:
    """They are promises to callers, whoever served before."""
    place = places.pipeline_yaml("shop")
    text = weak_first.state.read(place)[0] + f"deployment: {{{rule}}}\n".encode()
    weak_first.state.replace(place, text, weak_first.state.stat(place).generation)
    event = train(weak_first, "a.csv")
    deliver(weak_first, event)
    assert code in {reason.code for reason in verdict(weak_first, event).reasons}
    assert champion.current(weak_first.state, "shop")[0] is None


def test_a_champion_that_is_down_does_not_keep_its_successor_out(better: tuple[Shop, ModelTrained]) -> None:
    """Nothing could be compared with it, and nothing is worse than no answer."""
    shop, event = better
    shop.platform.deployed["endpoints/shop"].clear()
    deliver(shop, event)
    assert shop.platform.traffic == {"endpoints/shop": "2"}
    assert "does not answer" in verdict(shop, event).reasons[-1].sentence


def test_an_endpoint_that_never_becomes_healthy_leaves_the_champion_alone(better: tuple[Shop, ModelTrained]) -> None:
    """A deployment may fail for hours; what serves must not notice."""
    shop, event = better
    before = serving(shop)

    def deploy(pipeline: str, model: str, version: str) -> Deployed:
        raise JobFailed(f"{pipeline}: {model}@{version} did not become healthy.")

    shop.platform.deploy = deploy  # type: ignore[method-assign]  # the one call that fails
    with pytest.raises(JobFailed):
        deliver(shop, event)
    assert serving(shop) == before


def test_a_candidate_that_is_not_there_yet_is_tried_again(weak_first: Shop) -> None:
    """An event can overtake the object that it is about."""
    with pytest.raises(NotFound):
        deliver(weak_first, ModelTrained(pipeline="shop", candidate_id="0" * 20))


def test_an_older_candidate_is_stale(better: tuple[Shop, ModelTrained]) -> None:
    """Its holdout rows are known to the champion, which would be judged on what it has learned by heart."""
    shop, older = better
    newer = train(shop, "clearest.csv", rows=3000, noise=0.1)
    deliver(shop, newer, "1")
    deliver(shop, older, "2")
    assert [reason.code for reason in verdict(shop, older).reasons] == ["stale"]
