"""Faults ordered on the control plane: each is suffered as ordered, and can be asked whether it was."""

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from google.api_core import exceptions

from tests.emulators.launch import Emulator
from tests.emulators.pubsub.bench import PATIENCE, Bench, take
from tests.emulators.pubsub.conftest import advance
from tests.waiting import until

PUBLISH = "google.pubsub.v1.Publisher.Publish"
GET_TOPIC = "google.pubsub.v1.Publisher.GetTopic"


class Ordered:
    """A fault, and whether it was consumed."""

    def __init__(self, emulator: Emulator, **fault: Any) -> None:
        self.id = uuid.uuid4().hex
        self._emulator = emulator
        emulator.control("POST", "/faults", {"id": self.id, **fault}).raise_for_status()

    def consumed(self) -> int:
        """How often it was suffered."""
        return int(self._emulator.control("GET", f"/faults/{self.id}").json()["consumed"])


@pytest.fixture
def faulty(emulator: Emulator) -> Iterator[Emulator]:
    """The shared emulator; the test's faults are removed after it."""
    yield emulator
    for fault in emulator.control("GET", "/faults").json()["faults"]:
        emulator.control("DELETE", f"/faults/{fault['id']}")


@pytest.mark.parametrize(
    ("status", "error"),
    [(403, exceptions.PermissionDenied), (429, exceptions.ResourceExhausted), (500, exceptions.InternalServerError)],
)
def test_an_error_is_answered_in_place_of_the_work(
    faulty: Emulator, bench: Bench, status: int, error: type[Exception]
) -> None:
    """By its HTTP status, as all emulators take it."""
    name = bench.topic()
    fault = Ordered(faulty, operation=GET_TOPIC, action="error", status=status)
    with pytest.raises(error, match="Fault ordered"):
        bench.publisher.get_topic(topic=name, retry=None)
    assert fault.consumed() == 1


def test_the_client_publishes_again_after_unavailable(faulty: Emulator, bench: Bench) -> None:
    """A transient failure costs time, not the message."""
    topic, name = bench.pair()
    fault = Ordered(faulty, operation=PUBLISH, action="error", status=503)
    bench.publish(topic, b"data")
    assert (len(bench.pull(name)), fault.consumed()) == (1, 1)
    assert bench.empty(name)


def test_a_lost_answer_makes_the_client_publish_twice(faulty: Emulator, bench: Bench) -> None:
    """The duplicate that every consumer must stand: two ids, one content."""
    topic, name = bench.pair()
    fault = Ordered(faulty, operation=PUBLISH, action="lose_answer")
    bench.publish(topic, b"data")
    received = bench.pull(name, 2)
    assert [each.message.data for each in received] == [b"data", b"data"]
    assert len({each.message.message_id for each in received}) == 2
    assert fault.consumed() == 1


def test_an_acknowledgement_whose_answer_is_lost_holds(faulty: Emulator, bench: Bench) -> None:
    """Its sender must take it for failed, and the message does not come again."""
    topic, name = bench.pair()
    bench.publish(topic, b"data")
    (received,) = bench.pull(name)
    fault = Ordered(faulty, operation="google.pubsub.v1.Subscriber.Acknowledge", action="lose_answer")
    with pytest.raises(exceptions.ServiceUnavailable):
        bench.subscriber.acknowledge(subscription=name, ack_ids=[received.ack_id], retry=None)
    assert fault.consumed() == 1
    bench.subscriber.seek(request={"subscription": name, "time": {"seconds": 1}})
    assert bench.empty(name)


def test_a_publish_can_be_delayed(faulty: Emulator, bench: Bench) -> None:
    """Nothing is lost by it; the next is not held up."""
    topic, name = bench.pair()
    fault = Ordered(faulty, operation=PUBLISH, action="delay", delay_seconds=1.0)
    slow = bench.publisher.publish(topic, b"slow")
    until(fault.consumed)
    bench.publish(topic, b"quick")
    slow.result(PATIENCE)
    assert [each.message.data for each in bench.pull(name, 2)] == [b"quick", b"slow"]


def test_a_refused_delivery_counts_as_failed(clocked: tuple[Emulator, Bench]) -> None:
    """As a consumer that nacks at once: the next delivery is the second attempt."""
    emulator, bench = clocked
    policy = {"dead_letter_topic": bench.topic(), "max_delivery_attempts": 5}
    topic, name = bench.pair(dead_letter_policy=policy)
    fault = Ordered(emulator, operation="pubsub.deliver", action="error")
    bench.publish(topic, b"data")
    (received,) = bench.pull(name)
    assert (received.delivery_attempt, fault.consumed()) == (2, 1)


@pytest.mark.parametrize("action", ["drop", "double", "reorder"])
def test_a_fault_without_meaning_is_refused(emulator: Emulator, action: str) -> None:
    """Consumed without effect, it would make a test pass that proves nothing."""
    answer = emulator.control("POST", "/faults", {"operation": PUBLISH, "action": action})
    assert (answer.status_code, "pubsub.deliver" in answer.json()["error"]) == (400, True)


def test_a_dropped_delivery_comes_after_the_deadline(clocked: tuple[Emulator, Bench]) -> None:
    """As when a consumer took a message and died."""
    emulator, bench = clocked
    fault = Ordered(emulator, operation="pubsub.deliver", action="drop")
    topic, name = bench.pair()
    bench.publish(topic, b"data")
    assert bench.empty(name)
    assert fault.consumed() == 1
    advance(emulator, 11)
    assert len(bench.pull(name)) == 1


def test_a_doubled_delivery_comes_twice(faulty: Emulator, bench: Bench) -> None:
    """At least once means sometimes twice."""
    topic, name = bench.pair()
    fault = Ordered(faulty, operation="pubsub.deliver", action="double")
    with bench.stream(name) as got:
        bench.publish(topic, b"data")
        first, second = take(got, 2)
    assert first.message_id == second.message_id
    assert fault.consumed() == 1
    assert bench.empty(name)


def test_a_reordered_delivery_comes_after_the_next(faulty: Emulator, bench: Bench) -> None:
    """Without an ordering key there is no order."""
    topic, name = bench.pair()
    fault = Ordered(faulty, operation="pubsub.deliver", action="reorder")
    bench.publish(topic, b"first", b"second")
    assert [each.message.data for each in bench.pull(name, 2)] == [b"second", b"first"]
    assert fault.consumed() == 1


def test_a_delayed_delivery_waits_for_the_clock(clocked: tuple[Emulator, Bench]) -> None:
    """An event that comes an hour late."""
    emulator, bench = clocked
    fault = Ordered(emulator, operation="pubsub.deliver", action="delay", delay_seconds=3600)
    topic, name = bench.pair()
    bench.publish(topic, b"late")
    assert bench.empty(name)
    advance(emulator, 3590)
    assert bench.empty(name)
    advance(emulator, 11)
    assert (len(bench.pull(name)), fault.consumed()) == (1, 1)


def test_a_broken_stream_is_opened_again(faulty: Emulator, bench: Bench) -> None:
    """The client reconnects; what was on its way when the stream broke comes after its deadline, the rest at once."""
    topic, name = bench.pair()
    fault = Ordered(faulty, operation="google.pubsub.v1.Subscriber.StreamingPull", action="break_stream")
    with bench.stream(name) as got:
        bench.publish(topic, b"lost on the way")
        until(lambda: fault.consumed() and bench.empty(name))
        bench.publish(topic, b"after")
        assert take(got, 1)[0].data == b"after"


def test_resetting_forgets_everything(clocked: tuple[Emulator, Bench]) -> None:
    """The control plane's `reset`, and `seed` after it."""
    emulator, bench = clocked
    topic, name = bench.pair()
    emulator.control("POST", "/reset").raise_for_status()
    with pytest.raises(exceptions.NotFound):
        bench.publisher.get_topic(topic=topic)
    seed = {"topics": [{"name": topic}], "subscriptions": [{"name": name, "topic": topic, "ackDeadlineSeconds": 33}]}
    emulator.control("POST", "/seed", seed).raise_for_status()
    assert bench.subscriber.get_subscription(subscription=name).ack_deadline_seconds == 33


def test_a_seed_that_cannot_be_read_is_refused(emulator: Emulator) -> None:
    """A mistyped key must not make an empty emulator."""
    answer = emulator.control("POST", "/seed", {"topic": []})
    assert (answer.status_code, "'topics'" in answer.json()["error"]) == (400, True)
