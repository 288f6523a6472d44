"""StreamingPull as the client's `subscribe` uses it: flow control, leases, ordering keys, exactly-once delivery."""

import threading
from typing import Any

import pytest
from google.api_core import exceptions
from google.cloud.pubsub_v1.subscriber.exceptions import AcknowledgeError, AcknowledgeStatus
from google.cloud.pubsub_v1.types import FlowControl

from tests.emulators.launch import Emulator
from tests.emulators.pubsub.bench import PATIENCE, Bench, take
from tests.emulators.pubsub.conftest import advance


def test_a_stream_gets_every_message_once(any_bench: Bench) -> None:
    """The way all long-running subscribers take messages."""
    topic, name = any_bench.pair()
    with any_bench.stream(name) as got:
        any_bench.publish(topic, *(b"%d" % number for number in range(500)))
        received = sorted(int(message.data) for message in take(got, 500))
    assert received == list(range(500))
    assert any_bench.empty(name)


def test_flow_control_bounds_what_is_out(bench: Bench) -> None:
    """Of ten messages, a stream that allows three gets three, and another stream can have the rest."""
    topic, name = bench.pair()
    bench.publish(topic, *(b"%d" % number for number in range(10)))
    release = threading.Event()

    def hold(message: Any) -> None:
        release.wait(PATIENCE)
        message.ack()

    with bench.stream(name, hold, flow_control=FlowControl(max_messages=3)) as slow:
        rest = bench.pull(name, 7)
        bench.ack(name, rest)
        release.set()
        held = take(slow, 3)
    assert len({each.message.data for each in rest} | {message.data for message in held}) == 10


def test_a_nacked_message_comes_again_on_the_stream(any_bench: Bench) -> None:
    """A callback that raises nacks."""
    topic, name = any_bench.pair()
    seen: list[str] = []

    def handle(message: Any) -> None:
        seen.append(message.message_id)
        message.ack() if len(seen) > 1 else message.nack()

    with any_bench.stream(name, handle) as got:
        any_bench.publish(topic, b"again")
        first, second = take(got, 2)
    assert first.message_id == second.message_id


def test_two_streams_share_the_messages(any_bench: Bench) -> None:
    """Each message goes to one of them."""
    topic, name = any_bench.pair()
    with any_bench.stream(name) as left, any_bench.stream(name) as right:
        any_bench.publish(topic, *(b"%d" % number for number in range(200)))
        until_empty = [int(message.data) for message in _drain(left, right, 200)]
    assert sorted(until_empty) == list(range(200))


def _drain(left: Any, right: Any, count: int) -> list[Any]:
    messages: list[Any] = []
    for _ in range(int(PATIENCE * 100)):
        for got in (left, right):
            while not got.empty():
                messages.append(got.get())
        if len(messages) >= count:
            break
        threading.Event().wait(0.01)
    return messages


def test_the_client_keeps_its_leases_alive(clocked: tuple[Emulator, Bench]) -> None:
    """Work that takes longer than the ack deadline is not given to somebody else: the receipt extends the lease."""
    emulator, bench = clocked
    topic, name = bench.pair()
    release = threading.Event()
    entered = threading.Event()

    def hold(message: Any) -> None:
        entered.set()
        release.wait(PATIENCE)
        message.ack()

    with bench.stream(name, hold, flow_control=FlowControl(min_duration_per_lease_extension=600)) as got:
        bench.publish(topic, b"slow")
        assert entered.wait(PATIENCE)
        advance(emulator, 500)
        assert bench.empty(name)
        release.set()
        take(got, 1)
    advance(emulator, 700)
    assert bench.empty(name)


def test_a_stream_of_a_deleted_subscription_ends(any_bench: Bench) -> None:
    """The subscriber hears of it instead of waiting for ever."""
    _, name = any_bench.pair()
    future = any_bench.subscriber.subscribe(name, lambda message: message.ack())
    any_bench.subscriber.delete_subscription(subscription=name)
    with pytest.raises(exceptions.NotFound):
        future.result(timeout=PATIENCE)


def test_messages_of_a_key_come_in_order(any_bench: Bench) -> None:
    """Ordering keys are the only order Pub/Sub promises."""
    topic, name = any_bench.pair(enable_message_ordering=True)
    with any_bench.stream(name) as got:
        any_bench.publish(topic, *(b"%d" % number for number in range(100)), key="EWR")
        received = [int(message.data) for message in take(got, 100)]
    assert received == list(range(100))


def test_a_nack_brings_the_rest_of_the_key_again_in_order(any_bench: Bench) -> None:
    """After a failed message, all later ones of its key come again, so that the last word stands."""
    topic, name = any_bench.pair(enable_message_ordering=True)
    any_bench.publish(topic, b"0", b"1", b"2", b"3", key="EWR")
    first = any_bench.pull(name, 4)
    any_bench.ack(name, [first[0], first[2]])
    any_bench.modify(name, first[1:2], 0)
    assert [each.message.data for each in any_bench.pull(name, 3)] == [b"1", b"2", b"3"]


def test_a_failed_key_does_not_hold_up_another(bench: Bench) -> None:
    """One airport's poison message must not stop the others."""
    policy = {"minimum_backoff": {"seconds": 100}, "maximum_backoff": {"seconds": 100}}
    topic, name = bench.pair(enable_message_ordering=True, retry_policy=policy)
    bench.publish(topic, b"poison", b"behind", key="EWR")
    bench.modify(name, bench.pull(name, 2)[:1], 0)
    bench.publish(topic, b"fine", key="JFK")
    assert [each.message.data for each in bench.pull(name)] == [b"fine"]
    assert bench.empty(name)


def test_exactly_once_acknowledgements_are_confirmed(bench: Bench) -> None:
    """`ack_with_response` resolves, and the message is gone."""
    topic, name = bench.pair(enable_exactly_once_delivery=True)
    futures: list[Any] = []
    with bench.stream(name, lambda message: futures.append(message.ack_with_response())) as got:
        bench.publish(topic, *(b"%d" % number for number in range(50)))
        received = take(got, 50)
        assert {future.result(PATIENCE) for future in futures} == {AcknowledgeStatus.SUCCESS}
    assert len({message.message_id for message in received}) == 50
    assert bench.empty(name)


def test_exactly_once_refuses_a_late_acknowledgement(clocked: tuple[Emulator, Bench]) -> None:
    """An id whose deadline passed is permanently invalid, and the client hears so: its work may be done twice."""
    emulator, bench = clocked
    topic, name = bench.pair(enable_exactly_once_delivery=True)
    failures: list[Any] = []
    begun, refused = threading.Event(), threading.Event()

    def late(message: Any) -> None:
        if begun.is_set():
            refused.wait(PATIENCE)  # in one request with the late one, the client would report both as failed
            message.ack_with_response().result(PATIENCE)
            return
        begun.set()
        advance(emulator, 700)
        try:
            message.ack_with_response().result(PATIENCE)
        except AcknowledgeError as error:
            failures.append(error.error_code)
        refused.set()

    with bench.stream(name, late) as got:
        bench.publish(topic, b"late")
        take(got, 2)
    assert failures == [AcknowledgeStatus.INVALID_ACK_ID]


def test_a_late_acknowledgement_counts_without_exactly_once(clocked: tuple[Emulator, Bench]) -> None:
    """At least once: an acknowledgement after the deadline saves a redelivery when it can."""
    emulator, bench = clocked
    topic, name = bench.pair()
    bench.publish(topic, b"late")
    received = bench.pull(name)
    advance(emulator, 11)
    bench.ack(name, received)
    assert bench.empty(name)
