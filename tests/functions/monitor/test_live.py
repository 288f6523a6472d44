"""Answers that callers got, and labels that came later, by id, by key or in files: joined once, in any order."""

import itertools

import pyarrow as pa
import pytest

from dropforge.contracts import logged, monitoring, places
from dropforge.contracts.errors import NotFound
from dropforge.contracts.events import AlertRaised, LabelsRecorded
from dropforge.contracts.monitoring import BatchScore, PartScores
from dropforge.core.logged.join import join
from dropforge.core.monitoring import watch
from dropforge.core.monitoring.over_time import over_time
from dropforge.core.monitoring.watch import Watch
from dropforge.core.state import load
from dropforge.ml import late_labels
from functions.monitor import steps
from tests.commands.cli import Cli
from tests.commands.conftest import cli
from tests.functions.monitor.live import answers, deliver, labels, month
from tests.ml.crash import Crash, every_crash
from tests.ml.published import settle, train
from tests.ml.shop import Shop

__all__ = ["cli"]


@pytest.fixture(scope="module")
def serving() -> Shop:
    """A shop with a model that serves, whose answers are watched."""
    shop = Shop()
    assert settle(shop, train(shop, "a.csv", rows=3000, noise=0.3)).status == "published"
    text, generation = shop.state.read(places.pipeline_yaml("shop"))
    said = b"\nmonitoring: {watches: answers, min_slice_rows: 50, margin: 0.08}\n"
    shop.state.replace(places.pipeline_yaml("shop"), text + said, generation)
    return shop


@pytest.fixture
def shop(serving: Shop) -> Shop:
    """A copy of it to spoil."""
    return serving.copy()


def raised(shop: Shop) -> dict[str, str]:
    """The alerts so far: what each is about, and its last status."""
    return {event.subject: event.status for event in shop.topics.published if isinstance(event, AlertRaised)}


def joined(shop: Shop) -> list[str]:
    """Every prediction that has its label, as often as it has one."""
    places = [info.name.split("/")[2] for info in shop.state.list(logged.joined("shop"))]
    return sorted(
        each
        for place in sorted(set(places))
        for _, part in join(shop.state, "shop", place)
        for each in part["id"].to_pylist()
    )


def test_in_every_order_and_repeated_each_answer_gets_its_label_once(shop: Shop) -> None:
    """Labels may be faster than the log; each delivery may come twice."""
    rows = month(shop, 60)
    told = answers(shop, rows, "1")
    events = [told, labels(told, rows, "2")]
    for order in itertools.permutations([*events, *events]):
        copy = shop.copy()
        for event in order:
            deliver(copy, event)
        assert joined(copy) == sorted(row.id for row in told.rows)


def test_of_several_labels_for_one_answer_the_first_counts(shop: Shop) -> None:
    """A correction cannot be told from a repeat; what was counted stays counted."""
    rows = month(shop, 60)
    told = answers(shop, rows, "1")
    other = rows.set_column(4, "bought", pa.array([1 - value for value in rows["bought"].to_pylist()]))
    deliver(shop, told, labels(told, rows, "2"), labels(told, other, "3", at="2024-02-03T00:00:00+00:00"))
    ((_, part),) = join(shop.state, "shop", "2024020100")
    assert [label == "true" for label in part["label"].to_pylist()] == [bool(b) for b in rows["bought"].to_pylist()]


def test_labels_in_a_file_find_answers_by_the_keys_of_their_rows(shop: Shop) -> None:
    """Nobody has to keep ids: the file with what happened is dropped as ever."""
    start = shop.rows
    told = answers(shop, month(shop, 60), "1", keys=True)
    shop.rows = start
    deliver(shop, told)
    event = shop.land("b.csv", rows=60, noise=0.3)
    for _ in range(2):
        steps.on_batch(event, shop.state, shop.topics, lambda: shop.platform, shop.clock)
    for told_of in [each for each in shop.topics.published if isinstance(each, LabelsRecorded)]:
        steps.on_labels(told_of, shop.state, shop.topics, lambda: shop.platform, shop.clock)
    assert joined(shop) == sorted(row.id for row in told.rows)


def test_labels_in_a_file_without_a_verdict_are_delivered_again(shop: Shop) -> None:
    """The message may be faster than what it tells of; a step that dies of it says so by an error of its own."""
    start = shop.rows
    deliver(shop, answers(shop, month(shop, 60), "1", keys=True))
    shop.rows = start
    event = shop.land("b.csv", rows=60, noise=0.3).model_copy(update={"batch_id": "0" * 20})
    with pytest.raises(NotFound, match="has no verdict"):
        late_labels.of_batch(shop.pipeline, event, shop.state, shop.topics)


def test_answers_that_go_bad_in_a_region_raise_an_alert_for_it_and_it_resolves(shop: Shop) -> None:
    """What is judged is what callers were told, not what the model would say now."""
    for number, bad in enumerate(["", "south", "", ""]):
        rows = month(shop, 1500, bad)
        told = answers(shop, rows, f"{number}a")
        told = told.model_copy(
            update={"rows": [row.model_copy(update={"id": f"202402010{number}{row.id[10:]}"}) for row in told.rows]}
        )
        deliver(shop, told, labels(told, rows, f"{number}b"))
        if number == 1:
            assert raised(shop).get("region=south") == "raised"
    assert {"region=south"} <= set(raised(shop)) <= {"region=south", "all"}
    assert raised(shop)["region=south"] == "resolved"


def test_a_death_anywhere_changes_nothing(shop: Shop) -> None:
    """Between a part and its scores, or between the watch and the alert."""
    rows = month(shop, 1500, "south")
    told = answers(shop, rows, "1")
    deliver(shop, told)
    came = labels(told, rows, "2")
    calm = shop.copy()
    deliver(calm, came)
    for fuse in every_crash(lambda fuse: deliver(shop.copy(), came, fuse=fuse)):
        hurt = shop.copy()
        with pytest.raises(Crash):
            deliver(hurt, came, fuse=fuse)
        deliver(hurt, came)
        assert raised(hurt) == raised(calm)
        assert hurt.state.read(monitoring.watch("shop"))[0] == calm.state.read(monitoring.watch("shop"))[0]


def test_what_was_said_is_not_said_again_with_every_label_that_comes(shop: Shop) -> None:
    """A partition gets labels a hundred times an hour; its alert is published, and its training asked for, once."""
    rows = month(shop, 1500, "south")
    told = answers(shop, rows, "1")
    came = labels(told, rows, "2")
    deliver(shop, told, came)
    said = sum(isinstance(event, AlertRaised) for event in shop.topics.published)
    deliver(shop, came)
    assert said == sum(isinstance(event, AlertRaised) for event in shop.topics.published) > 0
    found = load(shop.state, monitoring.watch("shop"), Watch)
    assert found is not None
    next_version = BatchScore(
        pipeline="shop", batch_id="later", candidate_id="c2", version="2", served_since="2025-01-01", slices={}
    )
    begun = watch.begin(next_version, {}, shop.pipeline.monitoring, found[0])
    assert begun.told == found[0].told != []  # nor under the version that it led to
    assert begun.done == found[0].done


def test_a_version_that_nobody_published_has_no_score(shop: Shop) -> None:
    """A canary's answers are kept with their labels, but it has no level of its own to fall from."""
    rows = month(shop, 60)
    told = answers(shop, rows, "1")
    told = told.model_copy(update={"rows": [row.model_copy(update={"version": "99"}) for row in told.rows]})
    deliver(shop, told, labels(told, rows, "2"))
    place = monitoring.part_scores("shop", "2024020100-000001")
    assert PartScores.model_validate_json(shop.state.read(place)[0]).scores == []
    assert len(joined(shop)) == 60


def test_the_command_shows_accuracy_over_time_with_intervals(shop: Shop, cli: Cli) -> None:
    """Which slice, how good, how sure, and whether it is alarmed now."""
    rows = month(shop, 1500, "south")
    told = answers(shop, rows, "1")
    deliver(shop, told, labels(told, rows, "2"))
    (south,) = cli.ask(shop, "accuracy", "shop", "--slice", "region=south")
    assert (south["of"], south["version"], south["alarmed"]) == ("answers", "1", True)
    assert south["low"] < south["accuracy"] < south["high"] < 0.4
    assert {each.slice for each in over_time(shop.state, "shop")} >= {"all", "region=north", "region=west"}
    assert "There are: all, region=north" in cli.tell(shop, "accuracy", "shop", "--slice", "region=east")[1]


def test_what_has_no_label_yet_is_expected_to_be_as_good_as_it_turns_out(shop: Shop, cli: Cli) -> None:
    """By slice, from how sure the model was; what has a label is no longer expected but known."""
    rows = month(shop, 1500)
    told = answers(shop, rows, "1")
    deliver(shop, told)
    expected = {each["slice"]: each for each in cli.ask(shop, "accuracy", "shop", "--expected", "--slice", "every")}
    deliver(shop, labels(told, rows, "2"))
    known = {each["slice"]: each for each in cli.ask(shop, "accuracy", "shop", "--slice", "every")}
    assert expected.keys() == known.keys()
    assert all(abs(each["accuracy"] - known[name]["accuracy"]) < 0.06 for name, each in expected.items())
    assert cli.ask(shop, "accuracy", "shop", "--expected") == []
