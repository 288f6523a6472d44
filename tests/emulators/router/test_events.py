"""The whole way: object or message, Pub/Sub, router, function; with the official clients and the real emulators."""

from tests.emulators.router.bench import PROJECT, Bench
from tests.emulators.router.conftest import Cloud
from tests.waiting import until


def test_dropped_object_reaches_the_function_as_eventarc_shapes_it(cloud: Cloud, router: Bench) -> None:
    """Integers of 64 bits are strings, and the object is named by the subject and by the data."""
    blob = cloud.bucket.blob("flights/2013-01.csv")
    blob.upload_from_string("origin,dest\n", content_type="text/csv")
    until(lambda: bool(router.recorded("arrive")))
    event = router.recorded("arrive")[-1]
    assert event["type"] == "google.cloud.storage.object.v1.finalized"
    assert event["source"] == f"//storage.googleapis.com/projects/_/buckets/{PROJECT}-landing"
    assert event["subject"] == "objects/flights/2013-01.csv"
    assert event["bucket"] == event["data"]["bucket"] == f"{PROJECT}-landing"
    assert event["data"]["generation"] == str(blob.generation)
    assert (event["data"]["size"], event["data"]["metageneration"]) == ("12", "1")


def test_published_message_reaches_the_function(cloud: Cloud, router: Bench) -> None:
    """The event's id is the message's, its data the push with the subscription."""
    message = cloud.publish("jobs", "ok")
    until(lambda: bool(router.seen(message)))
    (event,) = router.seen(message)
    assert event["source"] == f"//pubsub.googleapis.com/projects/{PROJECT}/topics/jobs"
    assert event["data"]["message"]["messageId"] == message
    assert event["data"]["subscription"] == f"projects/{PROJECT}/subscriptions/eventarc-work-jobs-sub"


def test_failed_delivery_is_repeated_with_the_same_event_id(cloud: Cloud, router: Bench) -> None:
    """A function tells a repeat by the id alone."""
    message = cloud.publish("jobs", "fail 3")
    until(lambda: len(router.seen(message)) == 3)
    assert [event["data"]["deliveryAttempt"] for event in router.seen(message)] == [1, 2, 3]


def test_given_up_delivery_lands_in_the_dead_letter_topic(cloud: Cloud, router: Bench) -> None:
    """Nothing expires silently: after five attempts the message waits for a person."""
    grave = f"projects/{PROJECT}/subscriptions/dead-letter-sub"
    message = cloud.publish("jobs", "fail")
    (received,) = cloud.subscriber.pull(
        request={"subscription": grave, "max_messages": 1}, timeout=20
    ).received_messages
    assert received.message.data == b"fail"
    assert len(router.seen(message)) == 5


def test_crash_between_effect_and_acknowledgement_repeats_the_event(cloud: Cloud, router: Bench) -> None:
    """At least once, and here twice: the effect must be the same as of one."""
    fault = router.fault("work", "crash_after")
    message = cloud.publish("jobs", "ok")
    until(lambda: len(router.seen(message)) == 2)
    assert router.consumed(fault) == 1


def test_message_published_while_no_router_runs_arrives_later(cloud: Cloud) -> None:
    """The next router takes another port; its start re-points the subscriptions."""
    with cloud.router() as first:
        first.kill()
    message = cloud.publish("pairs", "ok")
    with cloud.router() as second:
        until(lambda: bool(second.seen(message)))


def test_second_start_changes_nothing_but_the_address(cloud: Cloud, router: Bench) -> None:
    """One notification a bucket, else every drop would arrive twice."""
    assert len(list(cloud.bucket.list_notifications())) == 1
    name = f"projects/{PROJECT}/subscriptions/eventarc-work-jobs-sub"
    subscription = cloud.subscriber.get_subscription(request={"subscription": name})
    assert subscription.push_config.push_endpoint == f"{router.url}/_push/work"
    assert subscription.ack_deadline_seconds == 10
    assert subscription.dead_letter_policy.max_delivery_attempts == 5
