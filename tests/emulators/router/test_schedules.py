"""Cloud Scheduler, by a clock that a test moves: messages through the real Pub/Sub emulator, to a function."""

import base64
from datetime import datetime

from tests.emulators.router.bench import PROJECT, Bench
from tests.waiting import until


def due(router: Bench) -> datetime:
    """When the sample's schedule is due next."""
    return datetime.fromisoformat(router.function("hourly")["due"])


def test_function_is_started_when_the_clock_comes_to_its_time(router: Bench) -> None:
    """As a message of its own topic, so with the retries and the dead letter of every other."""
    router.advance(3600)
    until(lambda: bool(router.recorded("hourly")))
    event = router.recorded("hourly")[-1]
    assert event["source"] == f"//pubsub.googleapis.com/projects/{PROJECT}/topics/scheduler-hourly"
    assert event["data"]["message"]["attributes"] == {"schedule": "hourly"}
    assert base64.b64decode(event["data"]["message"]["data"]) == b"{}"


def test_clock_moved_past_many_times_fires_once(router: Bench) -> None:
    """A scheduler that was away for a day does not make up for 24 messages; the next is due within the hour."""
    before, count = due(router), len(router.recorded("hourly"))
    router.advance(24 * 3600)
    until(lambda: len(router.recorded("hourly")) == count + 1)
    router.advance(1)
    assert router.function("hourly")["fired"] == 1
    assert due(router) > before
    assert due(router).minute == 0


def test_nothing_fires_before_its_time(router: Bench) -> None:
    """Nor for a clock that is moved by less than is left; a reset begins anew."""
    router.control("POST", "/reset").raise_for_status()
    assert router.function("hourly")["fired"] == 0
    assert router.function("hourly")["instances"] == []


def test_lost_tick_is_not_made_up_for(router: Bench) -> None:
    """As with every delivery: acknowledged and gone. The next tick is the remedy."""
    count = len(router.recorded("hourly"))
    fault = router.fault("hourly", "drop")
    router.advance(3600)
    until(lambda: router.consumed(fault) == 1)
    router.advance(3600)
    until(lambda: len(router.recorded("hourly")) == count + 1)
