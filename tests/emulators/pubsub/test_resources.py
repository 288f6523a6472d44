"""Topics and subscriptions: what can be made, found, changed, and what is refused in the service's words."""

from typing import Any

import pytest
from google.api_core import exceptions

from tests.emulators.pubsub.bench import PROJECT, Bench


def test_topics_are_made_found_and_deleted(any_bench: Bench) -> None:
    """The life of a topic, which everything else rests on."""
    name = any_bench.topic(labels={"team": "data"})
    found = any_bench.publisher.get_topic(topic=name)
    assert (found.name, dict(found.labels)) == (name, {"team": "data"})
    assert name in [topic.name for topic in any_bench.publisher.list_topics(project=f"projects/{any_bench.project}")]
    any_bench.publisher.delete_topic(topic=name)
    with pytest.raises(exceptions.NotFound):
        any_bench.publisher.get_topic(topic=name)


def test_a_taken_name_is_refused(any_bench: Bench) -> None:
    """Wiring that runs twice tells a resource that is there from one that failed."""
    topic, subscription = any_bench.pair()
    with pytest.raises(exceptions.AlreadyExists):
        any_bench.publisher.create_topic(name=topic)
    with pytest.raises(exceptions.AlreadyExists):
        any_bench.subscriber.create_subscription(name=subscription, topic=topic)


@pytest.mark.parametrize("short", ["ab", "1abc", "goog-topic", "a" * 256, "white space"])
def test_illegal_names_are_refused(bench: Bench, short: str) -> None:
    """A name that works here and not in the cloud would be found out at deployment only."""
    with pytest.raises(exceptions.InvalidArgument, match="Invalid resource name"):
        bench.publisher.create_topic(name=f"projects/{PROJECT}/topics/{short}")


def test_lists_come_in_pages(any_bench: Bench) -> None:
    """The client follows page tokens until there are none."""
    topic = any_bench.topic()
    made = {any_bench.subscription(topic) for _ in range(5)}
    listed = any_bench.publisher.list_topic_subscriptions(request={"topic": topic, "page_size": 2})
    assert [len(page.subscriptions) for page in listed.pages] == [2, 2, 1]
    assert set(any_bench.publisher.list_topic_subscriptions(topic=topic)) == made


def test_a_subscription_shows_the_services_defaults(any_bench: Bench) -> None:
    """10 s to acknowledge, 7 days of backlog, gone after 31 days unused: what Terraform would see."""
    _, name = any_bench.pair()
    found = any_bench.subscriber.get_subscription(subscription=name)
    assert found.ack_deadline_seconds == 10
    assert found.message_retention_duration.total_seconds() == 7 * 86_400


def test_a_subscription_is_active_and_expires_when_unused(bench: Bench) -> None:
    """State and expiration policy are filled in where none is given."""
    _, name = bench.pair()
    found = bench.subscriber.get_subscription(subscription=name)
    assert found.state == found.State.ACTIVE
    assert found.expiration_policy.ttl.total_seconds() == 31 * 86_400


def test_an_update_changes_only_what_its_mask_names(any_bench: Bench) -> None:
    """Wiring corrects a subscription in place, without touching the rest."""
    topic, name = any_bench.pair(labels={"team": "data"})
    changed = {"name": name, "topic": topic, "ack_deadline_seconds": 77, "labels": {"team": "other"}}
    any_bench.subscriber.update_subscription(
        request={"subscription": changed, "update_mask": {"paths": ["ack_deadline_seconds"]}}
    )
    found = any_bench.subscriber.get_subscription(subscription=name)
    assert (found.ack_deadline_seconds, dict(found.labels)) == (77, {"team": "data"})


@pytest.mark.parametrize("paths", [[], ["no_such_field"], ["topic"], ["filter"]])
def test_an_update_of_what_cannot_change_is_refused(bench: Bench, paths: list[str]) -> None:
    """A filter that seems to change and does not would hide lost messages."""
    topic, name = bench.pair()
    changed = {"name": name, "topic": topic, "filter": "attributes:x"}
    with pytest.raises(exceptions.InvalidArgument, match="update_mask"):
        bench.subscriber.update_subscription(request={"subscription": changed, "update_mask": {"paths": paths}})


@pytest.mark.parametrize(
    "config",
    [
        {"ack_deadline_seconds": 9},
        {"ack_deadline_seconds": 601},
        {"message_retention_duration": {"seconds": 599}},
        {"dead_letter_policy": {"dead_letter_topic": f"projects/{PROJECT}/topics/dead", "max_delivery_attempts": 4}},
        {"retry_policy": {"minimum_backoff": {"seconds": 20}, "maximum_backoff": {"seconds": 10}}},
        {"push_config": {"push_endpoint": "not a URL"}},
    ],
)
def test_configurations_outside_the_limits_are_refused(bench: Bench, config: dict[str, Any]) -> None:
    """The cloud refuses them; a deployment that passed here must not fail there."""
    topic = bench.topic()
    with pytest.raises(exceptions.InvalidArgument):
        bench.subscription(topic, **config)


@pytest.mark.parametrize(
    ("field", "config"),
    [("bigtable_config", {"table": "t"}), ("message_transforms", [{"disabled": False}])],
)
def test_what_is_not_offered_is_refused_by_name(bench: Bench, field: str, config: Any) -> None:
    """Taken silently, messages would go nowhere."""
    with pytest.raises(exceptions.MethodNotImplemented, match=field):
        bench.subscription(bench.topic(), **{field: config})


def test_a_deleted_topic_leaves_its_subscriptions_with_their_backlog(any_bench: Bench) -> None:
    """Messages that were accepted are still owed to who subscribed."""
    topic, name = any_bench.pair()
    any_bench.publish(topic, b"owed")
    any_bench.publisher.delete_topic(topic=topic)
    assert any_bench.subscriber.get_subscription(subscription=name).topic == "_deleted-topic_"
    assert [each.message.data for each in any_bench.pull(name)] == [b"owed"]


def test_a_subscription_needs_its_topic(any_bench: Bench) -> None:
    """Order of creation matters, as in the cloud."""
    with pytest.raises(exceptions.NotFound):
        any_bench.subscription(f"projects/{any_bench.project}/topics/never-made")


def test_policies_are_kept_and_guarded_by_their_etag(bench: Bench) -> None:
    """Two that change a policy at once must not overwrite each other unseen."""
    topic = bench.topic()
    first = bench.publisher.get_iam_policy(request={"resource": topic})
    first.bindings.add(role="roles/pubsub.publisher", members=["user:a@example.com"])
    kept = bench.publisher.set_iam_policy(request={"resource": topic, "policy": first})
    assert kept == bench.publisher.get_iam_policy(request={"resource": topic})
    with pytest.raises(exceptions.Aborted):
        bench.publisher.set_iam_policy(request={"resource": topic, "policy": first})
