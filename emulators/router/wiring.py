"""What a deployment would create, on the emulators: buckets, topics, notifications, push subscriptions; idempotently.

Names follow Eventarc's: a storage trigger gets a transport topic `eventarc-<function>-<bucket>`, a schedule the topic
`scheduler-<function>`, and every trigger a subscription `eventarc-<function>-<topic>-sub`. `dead-letter-sub` keeps what
was given up: a topic alone keeps nothing.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from functions.flow import DEAD_LETTER, Flow, Function

_WAIT_SECONDS = 60  # for an emulator that is still starting


@dataclass(frozen=True)
class Binding:
    """One push subscription: messages of `topic`, to `function`. `bucket` is set for a storage trigger."""

    function: str
    topic: str
    subscription: str
    bucket: str | None = None


@dataclass(frozen=True)
class Emulated:
    """Where the emulators are, by the clients' own variables; `None` leaves that service unwired."""

    project: str
    pubsub: str | None
    storage: str | None


def bucket_name(bucket: str, project: str, environment: Mapping[str, str]) -> str:
    """The real name of a bucket of the flow: `<project>-<bucket>`, unless `DROPFORGE_<BUCKET>_BUCKET` says another."""
    return environment.get(f"DROPFORGE_{bucket.upper().replace('-', '_')}_BUCKET") or f"{project}-{bucket}"


def bindings(flow: Flow, project: str, environment: Mapping[str, str]) -> list[Binding]:
    """Every subscription that the flow needs, with full resource names."""
    found = []
    for name, function in flow.functions.items():
        trigger = function.trigger
        if trigger.storage:
            topic = f"eventarc-{name}-{trigger.storage}"
            bucket = bucket_name(trigger.storage, project, environment)
            found.append(_binding(project, name, topic, f"{topic}-sub", bucket))
        topics = [*(trigger.topics or []), *([scheduler_topic(name)] if trigger.schedule else [])]
        found += [_binding(project, name, topic, f"eventarc-{name}-{topic}-sub") for topic in topics]
    return found


def scheduler_topic(function: str) -> str:
    """The topic to which Cloud Scheduler publishes for a function."""
    return f"scheduler-{function}"


def _binding(project: str, function: str, topic: str, subscription: str, bucket: str | None = None) -> Binding:
    return Binding(
        function=function,
        topic=f"projects/{project}/topics/{topic}",
        subscription=f"projects/{project}/subscriptions/{subscription}",
        bucket=bucket,
    )


def wire(
    flow: Flow, bound: list[Binding], buckets: list[str], where: Emulated, push_url: str, signed: bool = False
) -> None:
    """Create or correct everything. `push_url` is what a function's name is appended to; `signed` pushes carry tokens.

    Blocks; run it in a thread.
    """
    if where.pubsub is not None:
        _wire_pubsub(flow, bound, where, push_url, signed)
    if where.storage is not None:
        _wire_storage(bound, buckets, where)


def service_account(function: Function, project: str) -> str:
    """In whose name a function is called."""
    return f"{function.role}@{project}.iam.gserviceaccount.com"


def _wire_pubsub(flow: Flow, bound: list[Binding], where: Emulated, push_url: str, signed: bool) -> None:
    # Here, because the import takes half a second that only wiring needs.
    from google.api_core import exceptions, retry
    from google.cloud.pubsub_v1 import PublisherClient, SubscriberClient

    patient = retry.Retry(
        predicate=retry.if_exception_type(exceptions.ServiceUnavailable),
        initial=0.1,
        maximum=0.5,
        timeout=_WAIT_SECONDS,
    )
    with SubscriberClient() as subscriber:
        publisher = PublisherClient()
        topics = {f"projects/{where.project}/topics/{topic}" for topic in flow.topics} | {each.topic for each in bound}
        existing = {
            topic.name
            for topic in publisher.list_topics(request={"project": f"projects/{where.project}"}, retry=patient)
        }
        for topic in sorted(topics - existing):
            publisher.create_topic(request={"name": topic}, retry=patient)
        for wanted in _subscriptions(flow, bound, where.project, push_url, signed):
            try:
                subscriber.create_subscription(request=wanted, retry=patient)
            except exceptions.AlreadyExists:
                mask = {"paths": sorted(wanted.keys() - {"name", "topic"})}
                subscriber.update_subscription(request={"subscription": wanted, "update_mask": mask}, retry=patient)
        publisher.transport.close()


def publish(topic: str, data: bytes, **attributes: str) -> None:
    """Publish one message; returns once Pub/Sub has it. Blocks."""
    from google.cloud.pubsub_v1 import PublisherClient

    publisher = PublisherClient()
    try:
        publisher.publish(topic, data, **attributes).result(timeout=10)
    finally:
        publisher.stop()
        publisher.transport.close()


def _subscriptions(flow: Flow, bound: list[Binding], project: str, push_url: str, signed: bool) -> list[dict[str, Any]]:
    """Every subscription, as a request to create it."""
    pushes = [_pushed(binding, flow.functions[binding.function], project, push_url, signed) for binding in bound]
    if DEAD_LETTER not in flow.topics:
        return pushes
    kept = {
        "name": f"projects/{project}/subscriptions/{DEAD_LETTER}-sub",
        "topic": f"projects/{project}/topics/{DEAD_LETTER}",
        "message_retention_duration": {"seconds": 31 * 24 * 3600},  # the most that Pub/Sub allows
        "expiration_policy": {},  # never
    }
    return [*pushes, kept]


def _pushed(binding: Binding, function: Function, project: str, push_url: str, signed: bool) -> dict[str, Any]:
    assert function.retry is not None  # flow.py sees to it
    endpoint = f"{push_url}{binding.function}"
    token = {"service_account_email": service_account(function, project), "audience": endpoint}
    return {
        "name": binding.subscription,
        "topic": binding.topic,
        "push_config": {"push_endpoint": endpoint, **({"oidc_token": token} if signed else {})},
        "ack_deadline_seconds": ack_deadline_seconds(function),
        "retry_policy": {
            "minimum_backoff": {"seconds": function.retry.minimum_seconds},
            "maximum_backoff": {"seconds": function.retry.maximum_seconds},
        },
        "dead_letter_policy": {
            "dead_letter_topic": f"projects/{project}/topics/{DEAD_LETTER}",
            "max_delivery_attempts": function.retry.attempts,
        },
    }


def ack_deadline_seconds(function: Function) -> int:
    """How long Pub/Sub waits for the function's answer: its time-out, within what Pub/Sub allows."""
    return min(600, max(10, function.timeout_seconds))


def _wire_storage(bound: list[Binding], buckets: list[str], where: Emulated) -> None:
    transport = httpx.HTTPTransport(retries=0)
    with httpx.Client(base_url=f"{where.storage}/storage/v1", transport=transport, timeout=30) as client:
        _await_storage(client, where.project)
        for bucket in buckets:
            made = client.post("/b", params={"project": where.project}, json={"name": bucket})
            if made.status_code != 409:
                made.raise_for_status()
        for binding in bound:
            if binding.bucket is not None:
                _notify(client, binding.bucket, f"//pubsub.googleapis.com/{binding.topic}")


def _notify(client: httpx.Client, bucket: str, topic: str) -> None:
    """Make `bucket` publish every finalized object to `topic`, once."""
    path = f"/b/{bucket}/notificationConfigs"
    listed = client.get(path).raise_for_status().json().get("items", [])
    if not any(each["topic"] == topic for each in listed):
        config = {"topic": topic, "event_types": ["OBJECT_FINALIZE"], "payload_format": "JSON_API_V1"}
        client.post(path, json=config).raise_for_status()


def _await_storage(client: httpx.Client, project: str) -> None:
    deadline = time.monotonic() + _WAIT_SECONDS
    while True:
        try:
            client.get("/b", params={"project": project}).raise_for_status()
        except httpx.TransportError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return
