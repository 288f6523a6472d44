"""`Topics`: what is published arrives, whole, through Google's clients."""

from collections.abc import Iterator

import pytest
from google.cloud.pubsub_v1 import SubscriberClient

from dropforge.contracts.errors import NotFound
from dropforge.contracts.events import BatchStaged, ModelTrained, parse
from dropforge.gcp.pubsub import PubSub
from tests.emulators.launch import Emulator
from tests.gcp.conftest import Start

EVENT = BatchStaged(pipeline="flights", table="weather", batch_id="0123")
TOPIC = "projects/test-project/topics/batch-staged"
SUBSCRIPTION = "projects/test-project/subscriptions/batch-staged-test"


@pytest.fixture(scope="module")
def pubsub_emulator(start: Start) -> Emulator:
    """Pub/Sub."""
    return start("pubsub")


@pytest.fixture
def topics(pubsub_emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Iterator[PubSub]:
    """The topics of a project with one topic."""
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", pubsub_emulator.url)
    client = PubSub.connect()
    client.create_topic(name=TOPIC)
    yield PubSub(client, "test-project")
    client.delete_topic(topic=TOPIC)
    client.stop()
    client.transport.close()


def test_a_published_event_is_received_with_its_attributes(topics: PubSub) -> None:
    """Subscriptions filter by attribute, and the receiver checks the schema."""
    with SubscriberClient() as subscriber:
        subscriber.create_subscription(name=SUBSCRIPTION, topic=TOPIC)
        topics.publish(EVENT)
        answer = subscriber.pull(subscription=SUBSCRIPTION, max_messages=5, timeout=10)
        subscriber.delete_subscription(subscription=SUBSCRIPTION)
    (received,) = answer.received_messages
    assert parse(BatchStaged, received.message.data) == EVENT
    assert dict(received.message.attributes) == {"schema": "batch.staged/1", "pipeline": "flights"}


def test_a_missing_topic_is_told_by_name(topics: PubSub) -> None:
    """A deployment without a topic must say which."""
    with pytest.raises(NotFound, match="model-trained"):
        topics.publish(ModelTrained(pipeline="flights", candidate_id="c"))
