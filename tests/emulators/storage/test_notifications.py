"""Notifications to a real Pub/Sub emulator: the event that starts the whole of Dropforge."""

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import requests
from google.cloud import storage
from google.cloud.pubsub_v1 import PublisherClient, SubscriberClient
from google.pubsub_v1 import PubsubMessage

from tests.emulators.launch import Emulator
from tests.emulators.storage.conftest import Connect

OPERATION = "storage.notifications.publish"
TOPIC = "projects/test-project/topics/events"
SUBSCRIPTION = "projects/test-project/subscriptions/events"


@pytest.fixture
def pubsub(tmp_path: Path, log: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    """A Pub/Sub emulator with a topic and a subscription."""
    with Emulator("pubsub", log, data=tmp_path / "pubsub") as running:
        monkeypatch.setenv("PUBSUB_EMULATOR_HOST", running.url.removeprefix("http://"))
        with SubscriberClient() as subscriber:
            publisher = PublisherClient()
            publisher.create_topic(name=TOPIC)
            publisher.transport.close()
            subscriber.create_subscription(name=SUBSCRIPTION, topic=TOPIC)
        yield running


def received(count: int) -> list[PubsubMessage]:
    """The next `count` messages, acknowledged, in the order of their generations."""
    found: dict[str, PubsubMessage] = {}
    with SubscriberClient() as subscriber:
        for _ in range(60):
            if len(found) >= count:
                break
            answer = subscriber.pull(subscription=SUBSCRIPTION, max_messages=100, timeout=20)
            for one in answer.received_messages:
                found[one.message.message_id] = one.message
            if answer.received_messages:
                ids = [one.ack_id for one in answer.received_messages]
                subscriber.acknowledge(subscription=SUBSCRIPTION, ack_ids=ids)
    return sorted(found.values(), key=lambda message: message.attributes["eventTime"])


def watched(client: storage.Client, **more: object) -> storage.Bucket:
    """A new bucket whose changes are told to the topic."""
    bucket = client.create_bucket("watched")
    settings = {"payload_format": "JSON_API_V1", **more}
    bucket.notification("events", topic_project="test-project", **settings).create()
    return bucket


@pytest.mark.usefixtures("pubsub")
def test_a_finalized_object_is_told_with_its_metadata(log: Path, connect: Connect) -> None:
    """Attributes and payload as https://cloud.google.com/storage/docs/pubsub-notifications gives them."""
    with Emulator("storage", log) as own:
        bucket = watched(connect(own))
        blob = bucket.blob("dir/ünï.csv")
        blob.metadata = {"k": "v"}
        blob.upload_from_string("a,b\n", content_type="text/csv")
        (message,) = received(1)
    assert dict(message.attributes) == {
        "notificationConfig": "projects/_/buckets/watched/notificationConfigs/1",
        "eventType": "OBJECT_FINALIZE",
        "payloadFormat": "JSON_API_V1",
        "bucketId": "watched",
        "objectId": "dir/ünï.csv",
        "objectGeneration": str(blob.generation),
        "eventTime": message.attributes["eventTime"],
    }
    payload = json.loads(message.data)
    assert (payload["generation"], payload["size"], payload["metageneration"]) == (str(blob.generation), "4", "1")
    assert (payload["contentType"], payload["metadata"], payload["name"]) == ("text/csv", {"k": "v"}, "dir/ünï.csv")


@pytest.mark.usefixtures("pubsub")
def test_each_change_is_told_as_what_it_is(log: Path, connect: Connect) -> None:
    """Overwrite, metadata, delete: in order, and each saying which generation took which one's place."""
    with Emulator("storage", log) as own:
        bucket = watched(connect(own))
        blob = bucket.blob("object")
        blob.upload_from_string("one")
        one = str(blob.generation)
        blob.upload_from_string("two")
        two = str(blob.generation)
        blob.metadata = {"k": "v"}
        blob.patch()
        requests.put(f"{own.url}/storage/v1/b/watched/o/object/iam", json={}, timeout=10).raise_for_status()
        blob.delete()
        messages = received(6)
    told = {(message.attributes["eventType"], message.attributes["objectGeneration"]) for message in messages}
    assert told == {
        ("OBJECT_FINALIZE", one),
        ("OBJECT_DELETE", one),
        ("OBJECT_FINALIZE", two),
        ("OBJECT_METADATA_UPDATE", two),
        ("OBJECT_DELETE", two),
    }
    overwrote = [message.attributes.get("overwroteGeneration") for message in messages]
    overwritten = [message.attributes.get("overwrittenByGeneration") for message in messages]
    assert (overwrote.count(one), overwritten.count(two)) == (1, 1)
    assert not any(b"iamPolicy" in message.data for message in messages)


@pytest.mark.usefixtures("pubsub")
def test_only_what_was_asked_for_is_told(log: Path, connect: Connect) -> None:
    """By event type and by prefix, with the attributes and without the payload that were ordered."""
    with Emulator("storage", log) as own:
        bucket = watched(
            connect(own),
            event_types=["OBJECT_FINALIZE"],
            blob_name_prefix="in/",
            custom_attributes={"team": "a"},
            payload_format="NONE",
        )
        for name in ("out/1", "in/1", "in/2"):
            bucket.blob(name).upload_from_string("x")
        bucket.blob("in/1").delete()
        messages = received(2)
        assert own.control("GET", "/health").json()["notifications_waiting"] == 0
    assert [message.attributes["objectId"] for message in messages] == ["in/1", "in/2"]
    assert {(message.attributes["team"], message.data) for message in messages} == {("a", b"")}


def test_a_kill_loses_no_notification(pubsub: Emulator, tmp_path: Path, log: Path, connect: Connect) -> None:
    """Pub/Sub is down while files are dropped, and storage is killed: when both are back, all are told."""
    port = int(pubsub.url.rpartition(":")[2])
    pubsub.kill()
    with Emulator("storage", log, data=tmp_path / "storage") as first:
        bucket = watched(connect(first))
        for number in range(20):
            bucket.blob(f"object {number}").upload_from_string("x")
        assert first.control("GET", "/health").json()["notifications_waiting"] == 20
        first.kill()
    with (
        Emulator("storage", log, data=tmp_path / "storage"),
        Emulator("pubsub", log, data=tmp_path / "pubsub", port=port),
    ):
        told = {message.attributes["objectId"] for message in received(20)}
    assert told == {f"object {number}" for number in range(20)}


@pytest.mark.usefixtures("pubsub")
@pytest.mark.parametrize(
    ("action", "expected"), [("drop", "bc"), ("double", "aabc"), ("error", "abc"), ("delay", "abc")]
)
def test_a_faulty_delivery_is_what_was_ordered(log: Path, connect: Connect, action: str, expected: str) -> None:
    """At least once, sometimes twice, sometimes never: functions are tested against each."""
    with Emulator("storage", log) as own:
        bucket = watched(connect(own))
        order = {"operation": "storage.notifications.publish", "action": action}
        made = own.control("POST", "/faults", order).json()
        for name in "abc":
            bucket.blob(name).upload_from_string("x")
        told = sorted(message.attributes["objectId"] for message in received(len(expected)))
        assert own.control("GET", f"/faults/{made['id']}").json()["consumed"] == 1
    assert "".join(told) == expected


@pytest.mark.usefixtures("pubsub")
def test_a_notification_whose_acknowledgement_is_lost_comes_twice(log: Path, connect: Connect) -> None:
    """Under two message ids, so that only the event itself tells who receives it."""
    with Emulator("storage", log) as own:
        bucket = watched(connect(own))
        made = own.control("POST", "/faults", {"operation": OPERATION, "action": "lose_answer"}).json()
        bucket.blob("a").upload_from_string("x")
        messages = received(2)
        assert own.control("GET", f"/faults/{made['id']}").json()["consumed"] == 1
    assert [message.attributes["objectId"] for message in messages] == ["a", "a"]


@pytest.mark.usefixtures("pubsub")
@pytest.mark.parametrize(("action", "copies"), [("crash_before", 1), ("crash_after", 2)])
def test_a_crash_around_a_notification_loses_none(
    tmp_path: Path, log: Path, connect: Connect, action: str, copies: int
) -> None:
    """It is told by the next process, a second time where the first had told it already."""
    with Emulator("storage", log, data=tmp_path / "data") as first:
        bucket = watched(connect(first))
        first.control("POST", "/faults", {"operation": OPERATION, "action": action}).raise_for_status()
        with suppress(requests.exceptions.ConnectionError):  # the crash may overtake the answer
            bucket.blob("a").upload_from_string("x", retry=None)
        assert first.process.wait(timeout=20) == -9
    with Emulator("storage", log, data=tmp_path / "data"):
        messages = received(copies)
    assert [message.attributes["objectId"] for message in messages] == ["a"] * copies


@pytest.mark.usefixtures("pubsub")
def test_a_notification_can_come_after_the_next(log: Path, connect: Connect) -> None:
    """Delivery in any order is what functions must live with; message ids grow as Pub/Sub takes messages in."""
    with Emulator("storage", log) as own:
        bucket = watched(connect(own))
        own.control("POST", "/faults", {"operation": "storage.notifications.publish", "action": "reorder"})
        for name in "abc":
            bucket.blob(name).upload_from_string("x")
        messages = sorted(received(3), key=lambda message: int(message.message_id))
    assert [message.attributes["objectId"] for message in messages] == ["b", "a", "c"]


def test_configurations_are_listed_and_deleted(bucket: storage.Bucket) -> None:
    """Each has an id of its own, which is not given twice."""
    for topic in ("one", "two"):
        bucket.notification(topic, topic_project="test-project", event_types=["OBJECT_FINALIZE"]).create()
    first, second = bucket.list_notifications()
    assert (first.topic_name, second.topic_name) == ("one", "two")
    first.delete()
    assert [one.notification_id for one in bucket.list_notifications()] == [second.notification_id]
    assert bucket.get_notification(second.notification_id).event_types == ["OBJECT_FINALIZE"]
    assert not first.exists()
