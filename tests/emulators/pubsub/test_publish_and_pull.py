"""Publishing and unary pulling: limits, copies for each subscription, acknowledgement, nack, filters."""

import pytest
from google.api_core import exceptions
from google.pubsub_v1 import PublisherClient as PublisherServiceClient  # the generated one: it batches nothing

from tests.emulators.pubsub.bench import Bench


def test_a_message_arrives_as_it_was_published(any_bench: Bench) -> None:
    """Bytes, attributes, id and time."""
    topic, name = any_bench.pair()
    (message_id,) = any_bench.publish(topic, b"\x00\xffdata", origin="EWR", empty="")
    (received,) = any_bench.pull(name)
    message = received.message
    assert (message.data, message.message_id) == (b"\x00\xffdata", message_id)
    assert dict(message.attributes) == {"origin": "EWR", "empty": ""}
    assert message.publish_time.timestamp() > 1.7e9


def test_every_subscription_gets_what_was_published_after_it_was_made(any_bench: Bench) -> None:
    """Fan-out, and no reaching back."""
    topic = any_bench.topic()
    any_bench.publish(topic, b"before")
    names = [any_bench.subscription(topic) for _ in range(2)]
    any_bench.publish(topic, b"after")
    assert [[each.message.data for each in any_bench.pull(name)] for name in names] == [[b"after"], [b"after"]]
    assert all(any_bench.empty(name) for name in names)


def test_an_acknowledged_message_does_not_come_again(any_bench: Bench) -> None:
    """Once acknowledged, shortening its deadline to nothing brings nothing back."""
    topic, name = any_bench.pair()
    any_bench.publish(topic, b"once")
    received = any_bench.pull(name)
    any_bench.ack(name, received)
    any_bench.modify(name, received, 0)
    assert any_bench.empty(name)


def test_a_nacked_message_comes_again_under_another_id(any_bench: Bench) -> None:
    """A deadline of 0 is a nack."""
    topic, name = any_bench.pair()
    any_bench.publish(topic, b"again")
    first = any_bench.pull(name)
    any_bench.modify(name, first, 0)
    second = any_bench.pull(name)
    assert [each.message.data for each in second] == [b"again"]
    assert first[0].ack_id != second[0].ack_id


def test_a_leased_message_is_nobody_elses(any_bench: Bench) -> None:
    """While the ack deadline runs, a second pull finds nothing."""
    topic, name = any_bench.pair()
    any_bench.publish(topic, b"leased")
    any_bench.pull(name)
    assert any_bench.empty(name)


def test_a_thousand_ids_are_acknowledged_in_one_call(any_bench: Bench) -> None:
    """The client sends up to 1,000 ids a call."""
    topic, name = any_bench.pair()
    any_bench.publish(topic, *(b"%d" % number for number in range(1_000)))
    received = any_bench.pull(name, 1_000)
    any_bench.ack(name, received)
    any_bench.modify(name, received, 0)
    assert {each.message.data for each in received} == {b"%d" % number for number in range(1_000)}
    assert any_bench.empty(name)


def test_publishing_to_no_topic_is_refused(any_bench: Bench) -> None:
    """A mistyped topic must not swallow messages."""
    topic = any_bench.topic()
    with pytest.raises(exceptions.NotFound):
        any_bench.publish(topic + "x", b"data")


def test_a_message_of_nothing_is_refused(any_bench: Bench) -> None:
    """It needs data or an attribute."""
    with pytest.raises(exceptions.InvalidArgument):
        any_bench.publish(any_bench.topic(), b"")


def test_a_message_over_ten_million_bytes_is_refused(any_bench: Bench) -> None:
    """The largest request is 10 MB; past it, the client is told what was found and what is allowed."""
    request = {"topic": any_bench.topic(), "messages": [{"data": b"x" * 10_000_000 + b"x" * 2_000}]}
    with pytest.raises(exceptions.InvalidArgument):
        PublisherServiceClient(transport=any_bench.publisher.transport).publish(request)


@pytest.mark.parametrize(
    "attributes",
    [
        {f"key-{number}": "" for number in range(101)},
        {"k" * 257: ""},
        {"note": "v" * 1025},
        {"googclient": "reserved"},
    ],
    ids=["count", "key", "value", "reserved"],
)
def test_attributes_over_the_limits_are_refused(bench: Bench, attributes: dict[str, str]) -> None:
    """100 of them, 256 bytes a key, 1,024 bytes a value, no key that begins with goog."""
    with pytest.raises(exceptions.InvalidArgument, match="attribute"):
        bench.publish(bench.topic(), b"data", **attributes)


def test_attributes_at_the_limits_are_taken(any_bench: Bench) -> None:
    """The limits are the last value allowed, not the first refused."""
    topic, name = any_bench.pair()
    attributes = {f"{number:03}" + "k" * 253: "v" * 1024 for number in range(100)}
    any_bench.publish(topic, b"data", **attributes)
    assert dict(any_bench.pull(name)[0].message.attributes) == attributes


def test_an_acknowledgement_id_that_was_never_given_is_refused(bench: Bench) -> None:
    """A client that mixes up its ids hears of it."""
    _, name = bench.pair()
    with pytest.raises(exceptions.InvalidArgument, match="invalid ack ID"):
        bench.subscriber.acknowledge(subscription=name, ack_ids=["nonsense"])


def test_retry_policy_holds_a_nacked_message_back(any_bench: Bench) -> None:
    """A consumer that is down is not called in a hot loop."""
    topic, name = any_bench.pair(
        retry_policy={"minimum_backoff": {"seconds": 100}, "maximum_backoff": {"seconds": 100}}
    )
    any_bench.publish(topic, b"later")
    any_bench.modify(name, any_bench.pull(name), 0)
    assert any_bench.empty(name)


def test_dead_letters_arrive_with_where_they_come_from(any_bench: Bench) -> None:
    """After five failed deliveries the message moves, with its source in attributes."""
    dead_topic, dead_name = any_bench.pair()
    policy = {"dead_letter_topic": dead_topic, "max_delivery_attempts": 5}
    topic, name = any_bench.pair(dead_letter_policy=policy)
    any_bench.publish(topic, b"poison", kind="bad")
    attempts = []
    for _ in range(5):
        received = any_bench.pull(name)
        attempts.append(received[0].delivery_attempt)
        any_bench.modify(name, received, 0)
    (dead,) = any_bench.pull(dead_name)
    assert attempts == [1, 2, 3, 4, 5]
    assert (dead.message.data, dead.message.attributes["kind"]) == (b"poison", "bad")
    assert dead.message.attributes["CloudPubSubDeadLetterSourceSubscription"] == name.rpartition("/")[2]
    assert dead.message.attributes["CloudPubSubDeadLetterSourceDeliveryCount"] == "5"
    assert any_bench.empty(name)


@pytest.mark.parametrize(
    ("text", "matching"),
    [
        ("attributes:color", {"red", "blue"}),
        ('attributes.color = "red"', {"red"}),
        ('attributes.color != "red"', {"blue"}),
        ('hasPrefix(attributes.color, "bl")', {"blue"}),
        ("NOT attributes:color", {"none"}),
        ('attributes.color = "red" OR attributes.color = "blue"', {"red", "blue"}),
        ('attributes:color AND (NOT attributes.color = "blue")', {"red"}),
        ('attributes."color" = "\\u0072ed"', {"red"}),
    ],
)
def test_filters_let_through_what_they_say(bench: Bench, text: str, matching: set[str]) -> None:
    """What does not match counts as acknowledged."""
    topic, name = bench.pair(filter=text)
    bench.publish(topic, b"none")
    bench.publish(topic, b"red", color="red")
    bench.publish(topic, b"blue", color="blue")
    received = bench.pull(name, len(matching))
    assert {each.message.data.decode() for each in received} == matching
    assert bench.empty(name)


@pytest.mark.parametrize(
    "text",
    [
        "color",
        "attributes.color",
        "attributes.color = red",
        "attributes.color = 'red'",
        'attributes.color > "red"',
        "attributes:a AND attributes:b OR attributes:c",
        "(attributes:a",
        "hasPrefix(attributes:a)",
        "attributes:" + "a" * 250,
    ],
)
def test_wrong_filters_are_refused(bench: Bench, text: str) -> None:
    """A filter that cannot be read must not pass for one that lets all through."""
    with pytest.raises(exceptions.InvalidArgument, match="filter"):
        bench.subscription(bench.topic(), filter=text)


def test_a_detached_subscription_gives_nothing_more(any_bench: Bench) -> None:
    """The topic's owner cut it off."""
    topic, name = any_bench.pair()
    any_bench.publish(topic, b"data")
    any_bench.publisher.detach_subscription(request={"subscription": name})
    assert any_bench.subscriber.get_subscription(subscription=name).detached
    with pytest.raises(exceptions.FailedPrecondition):
        any_bench.empty(name)


def test_seeking_to_now_empties_the_backlog(any_bench: Bench) -> None:
    """The way to skip what piled up."""
    topic, name = any_bench.pair()
    any_bench.publish(topic, b"old", b"older")
    any_bench.subscriber.seek(request={"subscription": name, "time": {"seconds": 4_000_000_000}})
    assert any_bench.empty(name)


def test_seeking_back_brings_retained_messages_again(any_bench: Bench) -> None:
    """A bug in a consumer is fixed, and its day replayed."""
    topic, name = any_bench.pair(retain_acked_messages=True)
    any_bench.publish(topic, b"replayed")
    any_bench.ack(name, any_bench.pull(name))
    any_bench.subscriber.seek(request={"subscription": name, "time": {"seconds": 1_000_000_000}})
    assert [each.message.data for each in any_bench.pull(name)] == [b"replayed"]


def test_a_topics_retention_reaches_back_before_the_subscription(bench: Bench) -> None:
    """A new consumer can read what was published before it existed."""
    topic = bench.topic(message_retention_duration={"seconds": 3600})
    bench.publish(topic, b"early")
    name = bench.subscription(topic)
    bench.subscriber.seek(request={"subscription": name, "time": {"seconds": 1_000_000_000}})
    assert [each.message.data for each in bench.pull(name)] == [b"early"]


def test_a_snapshot_keeps_what_was_unacknowledged_and_what_came_since(any_bench: Bench) -> None:
    """Take a snapshot, deploy, and go back when the new version was wrong."""
    topic, name = any_bench.pair()
    any_bench.publish(topic, b"before")
    snapshot = name.replace("subscriptions/s-", "snapshots/n-")
    any_bench.subscriber.create_snapshot(name=snapshot, subscription=name)
    any_bench.publish(topic, b"since")
    any_bench.ack(name, any_bench.pull(name, 2))
    assert any_bench.empty(name)
    any_bench.subscriber.seek(request={"subscription": name, "snapshot": snapshot})
    assert {each.message.data for each in any_bench.pull(name, 2)} == {b"before", b"since"}
    any_bench.subscriber.delete_snapshot(snapshot=snapshot)
