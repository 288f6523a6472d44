"""Everything that time does, by the emulator's clock: a test moves it instead of waiting."""

import pytest
from google.api_core import exceptions

from tests.emulators.launch import Emulator
from tests.emulators.pubsub.bench import Bench
from tests.emulators.pubsub.conftest import advance


def test_an_unacknowledged_message_comes_again_after_its_deadline(clocked: tuple[Emulator, Bench]) -> None:
    """A consumer that died lets go of its messages."""
    emulator, bench = clocked
    topic, name = bench.pair(ack_deadline_seconds=60)
    bench.publish(topic, b"again")
    first = bench.pull(name)
    advance(emulator, 50)
    assert bench.empty(name)
    advance(emulator, 11)
    assert bench.pull(name)[0].message.message_id == first[0].message.message_id


def test_a_lease_can_be_extended_and_cut_short(clocked: tuple[Emulator, Bench]) -> None:
    """`modify_ack_deadline` counts from now, whichever way it moves the deadline."""
    emulator, bench = clocked
    topic, name = bench.pair()
    bench.publish(topic, b"data")
    received = bench.pull(name)
    bench.modify(name, received, 600)
    advance(emulator, 500)
    assert bench.empty(name)
    bench.modify(name, received, 10)
    advance(emulator, 11)
    assert len(bench.pull(name)) == 1


def test_backoff_doubles_from_the_minimum_to_the_maximum(clocked: tuple[Emulator, Bench]) -> None:
    """100, 200, 400, then 500 seconds: never more than the policy's maximum."""
    emulator, bench = clocked
    policy = {"minimum_backoff": {"seconds": 100}, "maximum_backoff": {"seconds": 500}}
    topic, name = bench.pair(retry_policy=policy)
    bench.publish(topic, b"data")
    for backoff in (100, 200, 400, 500, 500):
        bench.modify(name, bench.pull(name), 0)
        advance(emulator, backoff - 10)
        assert bench.empty(name)
        advance(emulator, 11)


def test_missed_deadlines_lead_to_the_dead_letter_topic(clocked: tuple[Emulator, Bench]) -> None:
    """A consumer that always dies on a message is as bad as one that refuses it."""
    emulator, bench = clocked
    dead_topic, dead_name = bench.pair()
    topic, name = bench.pair(dead_letter_policy={"dead_letter_topic": dead_topic, "max_delivery_attempts": 5})
    bench.publish(topic, b"poison")
    for _ in range(5):
        assert len(bench.pull(name)) == 1
        advance(emulator, 11)
    assert [each.message.data for each in bench.pull(dead_name)] == [b"poison"]


def test_a_backlog_is_kept_for_as_long_as_it_says(clocked: tuple[Emulator, Bench]) -> None:
    """Messages older than the retention are gone, newer ones stay."""
    emulator, bench = clocked
    topic, name = bench.pair(message_retention_duration={"seconds": 3600})
    bench.publish(topic, b"old")
    advance(emulator, 1800)
    bench.publish(topic, b"new")
    advance(emulator, 1801)
    assert [each.message.data for each in bench.pull(name)] == [b"new"]
    assert bench.empty(name)


def test_an_unused_subscription_expires(clocked: tuple[Emulator, Bench]) -> None:
    """After its expiration policy's time without a pull; one without that time stays."""
    emulator, bench = clocked
    topic = bench.topic()
    unused = bench.subscription(topic, expiration_policy={"ttl": {"seconds": 86_400}})
    kept = bench.subscription(topic, expiration_policy={})
    advance(emulator, 90_000)
    bench.subscriber.get_subscription(subscription=kept)
    with pytest.raises(exceptions.NotFound):
        bench.subscriber.get_subscription(subscription=unused)


def test_a_seek_to_a_time_parts_the_backlog(clocked: tuple[Emulator, Bench]) -> None:
    """Before it acknowledged, after it not."""
    emulator, bench = clocked
    topic, name = bench.pair()
    bench.publish(topic, b"before")
    advance(emulator, 100)
    now = emulator.control("GET", "/clock").json()["now"]
    bench.publish(topic, b"after")
    bench.subscriber.seek(request={"subscription": name, "time": {"seconds": int(now) - 50}})
    assert [each.message.data for each in bench.pull(name)] == [b"after"]
    assert bench.empty(name)
