"""Back in one command, held until released, and all of it on record."""

from datetime import UTC, datetime

import pytest

from dropforge.contracts.errors import ActionRefused
from dropforge.core import catalogue, champion, history, rollback
from dropforge.core.ports import Deployed
from dropforge.ml import publishing
from tests.ml.crash import Crash, Fuse, Mortal, every_crash
from tests.ml.published import settle, shuffled, train, two_versions
from tests.ml.shop import Shop


@pytest.fixture
def shop() -> Shop:
    """Version 2 serves, version 1 served before."""
    return two_versions()


def back(shop: Shop, to: str | None = None, fuse: Fuse | None = None) -> None:
    """Roll back, by ports that may die."""
    state, platform = (Mortal(port, fuse or Fuse()) for port in (shop.state, shop.platform))
    rollback.rollback("shop", "ada", "complaints", state, platform, shop.clock, to)


def actions(shop: Shop) -> list[tuple[str, str, str]]:
    """The history in short."""
    return [(entry.action, entry.version, entry.by) for entry in history.entries(shop.state, "shop")]


def test_it_returns_to_the_version_before_and_records_who_and_why(shop: Shop) -> None:
    """One command, and nobody wonders afterwards what happened."""
    back(shop)
    assert shop.platform.traffic == {"endpoints/shop": "1"}
    assert shop.platform.alias == {"models/shop": "1"}
    assert actions(shop) == [
        ("published", "1", "the judge"),
        ("published", "2", "the judge"),
        ("rolled_back", "1", "ada"),
    ]
    assert list(history.entries(shop.state, "shop"))[-1].reason == "complaints"


def test_a_repeat_changes_nothing(shop: Shop) -> None:
    """Pressed twice in a hurry, it must not go on to the bad version, which came 'before'."""
    back(shop)
    before = actions(shop)
    back(shop)
    back(shop, to="1")
    assert actions(shop) == before
    assert shop.platform.traffic == {"endpoints/shop": "1"}


def test_it_holds_against_the_next_training_until_released(shop: Shop) -> None:
    """A rollback that the next batch silently undoes is none."""
    back(shop)
    candidate = train(shop, "more.csv", rows=3000, noise=0.1)
    verdict = settle(shop, candidate)
    assert [reason.code for reason in verdict.reasons] == ["held"]
    assert "held by ada (complaints)" in verdict.reasons[0].sentence
    rollback.release("shop", "grace", "fixed", shop.state, shop.clock)
    assert settle(shop, candidate).status == "published"
    assert [action for action, _, _ in actions(shop)][2:] == ["rolled_back", "released", "published"]


def test_any_version_that_served_can_be_named(shop: Shop) -> None:
    """Also a later one: to take a rollback back, for instance."""
    back(shop, to="1")
    back(shop, to="2")
    assert shop.platform.traffic == {"endpoints/shop": "2"}
    with pytest.raises(ActionRefused, match="Version '7' of shop never served"):
        back(shop, to="7")


def test_there_must_be_something_to_go_back_to() -> None:
    """The message says what is missing."""
    with pytest.raises(ActionRefused, match="No version of shop serves yet"):
        back(Shop())
    shop = Shop()
    settle(shop, train(shop, "a.csv"))
    with pytest.raises(ActionRefused, match="the first that served"):
        back(shop)


def test_a_crash_anywhere_and_a_repeat_end_in_the_same_state(shop: Shop) -> None:
    """A person who sees an error types the command again."""
    expected = shop.copy()
    back(expected)
    for fuse in every_crash(lambda fuse: back(shop.copy(), fuse=fuse)):
        world = shop.copy()
        with pytest.raises(Crash):
            back(world, fuse=fuse)
        back(world)
        assert actions(world) == actions(expected)
        assert world.platform.traffic == expected.platform.traffic
        assert world.platform.deployed == expected.platform.deployed


def test_a_publication_that_is_overtaken_by_a_rollback_does_not_take_traffic() -> None:
    """The pointer decides, whoever moves the traffic last."""
    shop = Shop()
    settle(shop, train(shop, "noisy.csv"))
    candidate = train(shop, "clear.csv", rows=3000, noise=0.3)
    serve = shop.platform.serve

    def rolled_back_meanwhile(deployed: Deployed) -> None:
        shop.platform.serve = serve  # type: ignore[method-assign]  # only the first time
        back(shop)
        shop.platform.deploy("shop", deployed.model, deployed.version)
        serve(deployed)

    shop.platform.serve = rolled_back_meanwhile  # type: ignore[method-assign]  # another acts in between
    settle(shop, candidate)
    now, _ = champion.current(shop.state, "shop")
    assert now is not None
    assert (now.version, now.held) == ("1", True)
    assert shop.platform.traffic == {"endpoints/shop": "1"}
    assert [version for _, version, _ in actions(shop)] == ["1", "2", "1"]


def test_the_history_answers_what_served_at_a_time(shop: Shop) -> None:
    """The question after every complaint."""
    first, second = history.entries(shop.state, "shop")
    assert history.served_at(shop.state, "shop", datetime.fromisoformat(second.at)) == second
    assert history.served_at(shop.state, "shop", datetime.fromtimestamp(shop.clock.seconds - 61, UTC)) == first
    assert history.served_at(shop.state, "shop", datetime(2000, 1, 1, tzinfo=UTC)) is None


def test_a_person_can_publish_by_name_what_the_judge_refuses() -> None:
    """Judges err; what must not be is that nobody knows who overrode them."""
    shop = Shop()
    settle(shop, train(shop, "clear.csv", noise=0.3))
    refused = train(shop, "nonsense.csv", rows=2000, change=shuffled)
    assert settle(shop, refused).status == "refused"
    verdict = publishing.override(
        shop.pipeline, refused, "ada", "the labels changed meaning", shop.state, shop.platform, shop.clock
    )
    assert {"not_better", "overridden"} <= {reason.code for reason in verdict.reasons}
    assert actions(shop)[-1] == ("published", "2", "ada")
    with pytest.raises(ActionRefused, match="has served before"):
        publishing.override(shop.pipeline, refused, "ada", "again", shop.state, shop.platform, shop.clock)


def test_the_catalogue_tells_what_became_of_each_candidate(shop: Shop) -> None:
    """Which models are there, which serve, and how two differ."""
    settle(shop, train(shop, "nonsense.csv", change=shuffled))
    first, second, third = catalogue.models(shop.state, "shop")
    assert [model.version for model in (first, second, third)] == ["1", "2", ""]
    assert [model.serves for model in (first, second, third)] == [False, True, False]
    assert third.verdict is not None
    assert third.verdict.status == "refused"
    assert catalogue.find(shop.state, "shop", "2") == second
    differing = catalogue.differences(first.candidate, second.candidate)
    assert differing["visits gs://landing/shop/clear.csv#3600"] == (None, "3,000 rows")
    assert "seed" not in differing
    with pytest.raises(ActionRefused, match="Versions that served: 1, 2"):
        catalogue.find(shop.state, "shop", "9")
