"""A canary to its end: by time, by evidence, through crashes, and against whoever moves the champion pointer."""

from datetime import UTC, datetime
from io import StringIO

import pyarrow as pa
import pytest
from rich.console import Console

from dropforge.contracts import places
from dropforge.contracts.canary import Canary, Requests
from dropforge.contracts.events import Event, ModelPublished, ModelRefused, ModelTrained
from dropforge.contracts.latency import BUCKETS, bucket
from dropforge.contracts.models import Candidate, HistoryEntry
from dropforge.core import canary, champion, history, rollback, stuck, verdicts
from dropforge.core.overview import overview
from dropforge.core.twins import MemoryObjects
from functions.publish import steps
from infra.local.board import Board
from infra.local.follow import Training
from tests.commands.cli import Cli
from tests.ml.crash import Crash, Fuse, Mortal, every_crash
from tests.ml.published import train
from tests.ml.shop import YAML, Shop

DEPLOYMENT = "deployment: {canary: [10, 50], bake_minutes: 30}\n"


def deliver(shop: Shop, candidate: Candidate, minutes: int = 0, fuse: Fuse | None = None) -> None:
    """Minutes pass, then one delivery, by ports that may die."""
    shop.clock.seconds += 60 * minutes
    fuse = fuse or Fuse()
    state, topics, platform = (Mortal(port, fuse) for port in (shop.state, shop.topics, shop.platform))
    event = ModelTrained(pipeline="shop", candidate_id=candidate.candidate_id)
    steps.on_trained(event, "1", state, topics, platform, shop.clock)


@pytest.fixture(scope="module")
def begun() -> tuple[Shop, Candidate]:
    """Version 1 serves, and version 2, which is better, has just become a canary."""
    shop = Shop()
    place = places.pipeline_yaml("shop")
    text = YAML.replace("MODE", "dynamic") + DEPLOYMENT
    shop.state.replace(place, text.encode(), shop.state.stat(place).generation)
    deliver(shop, train(shop, "noisy.csv"))
    candidate = train(shop, "clear.csv", rows=3000, noise=0.3)
    deliver(shop, candidate)
    return shop, candidate


@pytest.fixture
def baking(begun: tuple[Shop, Candidate]) -> tuple[Shop, Candidate]:
    """A copy of it to spoil."""
    shop, candidate = begun
    return shop.copy(), candidate


def now(shop: Shop) -> Canary:
    """The canary as it is."""
    found, _ = canary.current(shop.state, "shop")
    assert found is not None
    return found


def answered(shop: Shop, version: str, seconds: float, requests: int, failed: int = 0) -> None:
    """An instance of predict tells what it saw."""
    counts = [0] * BUCKETS
    counts[bucket(seconds)] = requests
    place = places.canary_requests("shop", now(shop).candidate_id, f"{version}.json")
    seen = Requests(answered={version: counts}, failed=failed)
    shop.state.create(place, seen.model_dump_json().encode())


def _turned(rows: pa.Table) -> pa.Table:
    return rows.set_column(4, "bought", pa.array([1 - bought for bought in rows["bought"].to_pylist()]))


def announced(shop: Shop) -> list[Event]:
    """What was said of outcomes since version 1 served, repeats counted once."""
    said = [event for event in shop.topics.published if isinstance(event, ModelPublished | ModelRefused)]
    return list({event.model_dump_json(): event for event in said[1:]}.values())


def test_it_answers_a_share_while_the_champion_serves(baking: tuple[Shop, Candidate]) -> None:
    """The first model had nobody to share with, so it serves all; the second one waits its turn."""
    shop, _ = baking
    assert shop.platform.traffic == {"endpoints/shop": "1"}
    assert shop.platform.canary == {"endpoints/shop": ("2", 10)}
    assert shop.platform.alias == {"models/shop": "1"}
    assert [entry.version for entry in history.entries(shop.state, "shop")] == ["1"]
    assert announced(shop) == []


def test_it_grows_step_by_step_to_all(baking: tuple[Shop, Candidate]) -> None:
    """A look before the time is up changes nothing; each one after it goes one step on."""
    shop, candidate = baking
    deliver(shop, candidate, minutes=29)
    assert shop.platform.canary == {"endpoints/shop": ("2", 10)}
    deliver(shop, candidate, minutes=1)
    assert shop.platform.canary == {"endpoints/shop": ("2", 50)}
    deliver(shop, candidate, minutes=30)
    assert (shop.platform.canary, shop.platform.traffic) == ({}, {"endpoints/shop": "2"})
    assert shop.platform.deployed == {"endpoints/shop": {"2"}}
    assert announced(shop) == [ModelPublished(pipeline="shop", candidate_id=candidate.candidate_id, version="2")]
    last = list(history.entries(shop.state, "shop"))[-1]
    assert "As a canary since" in last.reason
    assert [(move.share, move.status) for move in canary.moves(shop.state, "shop")][::2] == [
        (10, "baking"),
        (50, "baking"),
        (50, "passed"),
    ]


def test_failing_requests_bring_the_champion_back(baking: tuple[Shop, Candidate]) -> None:
    """At once, whatever the time; with the reason, and not again when the event is delivered again."""
    shop, candidate = baking
    answered(shop, "2", 0.01, requests=90, failed=10)
    for _ in range(2):
        deliver(shop, candidate, minutes=1)
    assert (shop.platform.canary, shop.platform.traffic) == ({}, {"endpoints/shop": "1"})
    assert shop.platform.deployed == {"endpoints/shop": {"1"}}
    verdict = verdicts.known(shop.state, "shop", candidate.candidate_id)
    assert verdict is not None
    assert (verdict.status, verdict.reasons[-1].code) == ("refused", "canary_errors")
    assert "Of 100 requests 10 brought no answer" in verdict.reasons[-1].sentence
    assert announced(shop) == [ModelRefused(pipeline="shop", candidate_id=candidate.candidate_id)]


@pytest.mark.parametrize(("seconds", "survives"), [(0.015, True), (0.1, False)])
def test_a_slow_version_is_taken_back(baking: tuple[Shop, Candidate], seconds: float, survives: bool) -> None:
    """Slower than twice what the champion's requests stay below."""
    shop, candidate = baking
    answered(shop, "1", 0.01, requests=900)
    answered(shop, "2", seconds, requests=100)
    deliver(shop, candidate, minutes=1)
    assert now(shop).baking is survives
    assert [reason.code for reason in now(shop).evidence][1] == ("canary_speed" if survives else "canary_slow")


def test_too_few_requests_say_that_speed_is_not_known(baking: tuple[Shop, Candidate]) -> None:
    """Silence would read as approval."""
    shop, candidate = baking
    answered(shop, "2", 5.0, requests=7)
    deliver(shop, candidate, minutes=1)
    assert now(shop).baking
    assert "it answered 7 requests and the champion 0" in now(shop).evidence[1].sentence


def test_labels_that_show_it_worse_bring_the_champion_back(baking: tuple[Shop, Candidate]) -> None:
    """What the holdout could not know: from today on, everything is the other way round."""
    shop, candidate = baking
    shop.land("turned.csv", 2000, 0.3, _turned)
    deliver(shop, candidate, minutes=1)
    assert now(shop).status == "failed"
    assert {"canary_worse", "worse_in_slice"} <= {reason.code for reason in now(shop).evidence}
    assert shop.platform.traffic == {"endpoints/shop": "1"}


def test_other_candidates_wait_and_are_sent_on_at_its_end(baking: tuple[Shop, Candidate]) -> None:
    """Else a pipeline that trains often would never finish a canary, or never judge what came meanwhile."""
    shop, candidate = baking
    newer = train(shop, "newer.csv", rows=2000, noise=0.2)
    deliver(shop, newer)
    assert verdicts.known(shop.state, "shop", newer.candidate_id) is None
    assert now(shop).candidate_id == candidate.candidate_id
    deliver(shop, newer, minutes=30)
    before = len(shop.topics.published)
    deliver(shop, newer, minutes=30)
    assert ModelTrained(pipeline="shop", candidate_id=newer.candidate_id) in shop.topics.published[before:]
    assert verdicts.known(shop.state, "shop", newer.candidate_id) is not None


def test_a_rollback_ends_it_and_holds_the_champion(baking: tuple[Shop, Candidate]) -> None:
    """Whoever presses that button in the middle of a canary means the canary."""
    shop, candidate = baking
    rollback.rollback("shop", "ada", "odd answers", shop.state, shop.platform, shop.clock)
    assert (shop.platform.canary, shop.platform.traffic) == ({}, {"endpoints/shop": "1"})
    assert now(shop).status == "overtaken"
    deliver(shop, candidate, minutes=60)
    held, _ = champion.current(shop.state, "shop")
    assert held is not None
    assert (held.version, held.held) == ("1", True)
    assert shop.platform.traffic == {"endpoints/shop": "1"}


def test_the_reconciler_looks_at_it_until_its_end(baking: tuple[Shop, Candidate]) -> None:
    """Without requests, files or people, the schedule alone brings it to its end."""
    shop, candidate = baking
    landing = MemoryObjects("landing")
    for _ in range(4):
        shop.clock.seconds += 15 * 60
        found = list(stuck.find("shop", landing, shop.state, datetime.fromtimestamp(shop.clock.seconds, UTC)))
        assert [each.subject for each in found] == [candidate.candidate_id]
        assert all(each.planned for each in found)
        deliver(shop, candidate)
    assert shop.platform.traffic == {"endpoints/shop": "2"}


@pytest.mark.parametrize("step", ["begin", "grow", "promote", "fail"])
def test_a_crash_anywhere_and_a_redelivery_end_in_the_same_state(step: str, baking: tuple[Shop, Candidate]) -> None:
    """Between any two calls of every step; whatever has traffic then is deployed."""
    start, candidate = baking
    if step == "begin":
        ended = now(start).model_copy(update={"status": "overtaken"})
        canary.put(start.state, ended, canary.current(start.state, "shop")[1])
    if step == "promote":
        deliver(start, candidate, minutes=30)
    if step == "fail":
        answered(start, "2", 0.01, requests=10, failed=90)
    start.clock.seconds += 1800
    expected = start.copy()
    deliver(expected, candidate)
    for fuse in every_crash(lambda fuse: deliver(start.copy(), candidate, fuse=fuse)):
        shop = start.copy()
        with pytest.raises(Crash):
            deliver(shop, candidate, fuse=fuse)
        serving = {shop.platform.traffic["endpoints/shop"], *(version for version, _ in shop.platform.canary.values())}
        assert serving <= shop.platform.deployed["endpoints/shop"]
        deliver(shop, candidate)
        if step in ("promote", "fail"):
            assert shop.platform.traffic == expected.platform.traffic
            assert shop.platform.canary == expected.platform.canary
            assert now(shop).status == now(expected).status
            assert announced(shop) == announced(expected)
        else:  # a crash after its commit is found by a repeat that goes a step further
            assert now(shop).baking
            assert now(shop).step >= now(expected).step
            assert shop.platform.canary == {"endpoints/shop": ("2", now(shop).share)}


def test_machines_are_told_each_step(
    baking: tuple[Shop, Candidate], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Among the changes of what serves and in their form, so that who reads those needs nothing new."""
    shop, candidate = baking
    for _ in range(3):
        deliver(shop, candidate, minutes=30)
    told = Cli(monkeypatch, capsys).ask(shop, "history", "shop")
    assert [(one["action"], one["version"], one["detail"].get("share")) for one in told] == [
        ("published", "1", None),
        ("canary_baking", "2", 10),
        ("canary_baking", "2", 50),
        ("published", "2", None),
        ("canary_passed", "2", 50),
    ]
    assert {frozenset(one) for one in told} == {frozenset(HistoryEntry.model_fields)}


def test_a_training_that_led_to_a_canary_is_settled_and_says_so(baking: tuple[Shop, Candidate]) -> None:
    """Who waits for it would see it judged for ever: nothing more happens for as long as the canary bakes."""
    shop, candidate = baking
    training = Training("shop", frozenset(), candidate)
    assert training.look(shop.state) and training.settled
    assert (training.version, training.canary) == ("", now(shop))
    shown = StringIO()
    Board("", Console(file=shown)).training("2013-01", training)
    assert "version 2 is a canary, 10 %" in shown.getvalue()


def test_status_and_history_tell_of_it(baking: tuple[Shop, Candidate]) -> None:
    """Who looks at an odd answer has to see that two versions give answers."""
    shop, candidate = baking
    told = overview("shop", MemoryObjects("landing"), shop.state, shop.clock)
    assert told.canary == now(shop)
    assert f"Version 2 answers 10 % of the requests since {now(shop).since}." in told.under_way
    assert [move.version for move in canary.moves(shop.state, "shop")] == ["2"]
    assert candidate.candidate_id == now(shop).candidate_id
