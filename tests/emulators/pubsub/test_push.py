"""Push subscriptions against a real HTTP server: what is sent, what counts as acknowledged, and how failures wait."""

import base64
import json
import queue
import socket
import threading
import time
from typing import Any

import pytest
from google.auth.transport.requests import Request
from google.oauth2 import id_token

from tests.emulators.launch import Emulator
from tests.emulators.pubsub.bench import Bench, Endpoint, take
from tests.emulators.pubsub.conftest import advance

AT_ONCE = {"minimum_backoff": {"seconds": 0}, "maximum_backoff": {"seconds": 0}}


def test_a_push_carries_the_message_in_json(any_bench: Bench) -> None:
    """The body that functions-framework and Cloud Run services expect."""
    with Endpoint().running() as endpoint:
        topic, name = any_bench.pair(push_config={"push_endpoint": endpoint.url})
        (message_id,) = any_bench.publish(topic, b"\x00data", origin="EWR")
        (push,) = take(endpoint.got, 1)
        any_bench.subscriber.delete_subscription(subscription=name)
    body = json.loads(push.body)
    message = body["message"]
    assert push.headers["content-type"].startswith("application/json")
    assert body["subscription"] == name
    assert base64.b64decode(message["data"]) == b"\x00data"
    assert message["attributes"] == {"origin": "EWR"}
    assert message["messageId"] == message["message_id"] == message_id
    assert message["publishTime"] == message["publish_time"]


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_success_acknowledges(bench: Bench, status: int) -> None:
    """The final codes that the service takes for done: nothing comes again, however much follows."""
    with Endpoint(statuses=[status]).running() as endpoint:
        topic, name = bench.pair(push_config={"push_endpoint": endpoint.url}, retry_policy=AT_ONCE)
        got = []
        for data in (b"first", b"second", b"third"):
            bench.publish(topic, data)
            got += [base64.b64decode(json.loads(each.body)["message"]["data"]) for each in take(endpoint.got, 1)]
        bench.subscriber.delete_subscription(subscription=name)
    assert got == [b"first", b"second", b"third"]


@pytest.mark.parametrize("status", [302, 404, 429, 500])
def test_anything_else_is_a_nack(any_bench: Bench, status: int) -> None:
    """A redirect or a client error too: the message comes again until the endpoint takes it."""
    with Endpoint(statuses=[status, status]).running() as endpoint:
        topic, name = any_bench.pair(push_config={"push_endpoint": endpoint.url})
        any_bench.publish(topic, b"data")
        first, *_, last = take(endpoint.got, 3)
        assert json.loads(first.body)["message"] == json.loads(last.body)["message"]
        any_bench.subscriber.delete_subscription(subscription=name)


def test_an_uncommon_success_is_a_nack_too(bench: Bench) -> None:
    """203 is not among the codes that the service takes for done."""
    with Endpoint(statuses=[203]).running() as endpoint:
        topic, name = bench.pair(push_config={"push_endpoint": endpoint.url})
        bench.publish(topic, b"data")
        take(endpoint.got, 2)
        bench.subscriber.delete_subscription(subscription=name)


def test_attempts_are_counted_where_dead_letters_go(bench: Bench) -> None:
    """With a dead-letter policy each push says which attempt it is; after the last, the message moves."""
    dead_topic, dead_name = bench.pair()
    policy = {"dead_letter_topic": dead_topic, "max_delivery_attempts": 5}
    with Endpoint(statuses=[500] * 5).running() as endpoint:
        push = {"push_endpoint": endpoint.url}
        topic, name = bench.pair(push_config=push, dead_letter_policy=policy, retry_policy=AT_ONCE)
        bench.publish(topic, b"poison")
        attempts = [json.loads(each.body)["deliveryAttempt"] for each in take(endpoint.got, 5)]
        assert [each.message.data for each in bench.pull(dead_name)] == [b"poison"]
        bench.subscriber.delete_subscription(subscription=name)
    assert attempts == [1, 2, 3, 4, 5]


def test_an_endpoint_that_was_down_gets_everything_once_it_is_up(bench: Bench) -> None:
    """A function that starts after its events loses none."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    topic, name = bench.pair(push_config={"push_endpoint": f"http://127.0.0.1:{port}/push"})
    bench.publish(topic, *(b"%d" % number for number in range(20)))
    with Endpoint().running(port) as endpoint:
        got = {base64.b64decode(json.loads(each.body)["message"]["data"]) for each in take(endpoint.got, 20)}
        bench.subscriber.delete_subscription(subscription=name)
    assert got == {b"%d" % number for number in range(20)}


def test_an_endpoint_that_refuses_is_not_called_in_a_hot_loop(bench: Bench) -> None:
    """Even a retry policy without any back-off: the subscription as a whole pauses, longer each time."""
    with Endpoint(statuses=[500] * 100).running() as endpoint:
        topic, name = bench.pair(push_config={"push_endpoint": endpoint.url}, retry_policy=AT_ONCE)
        bench.publish(topic, *(b"%d" % number for number in range(10)))
        time.sleep(1)
        bench.subscriber.delete_subscription(subscription=name)
    assert 1 <= endpoint.got.qsize() <= 8  # after 0, 0.1, 0.3 and 0.7 s, with as many to spare


def test_the_retry_policy_holds_a_failed_push_back(clocked: tuple[Emulator, Bench]) -> None:
    """The second attempt comes after the minimum back-off, the third after twice that; other messages pass by."""
    emulator, bench = clocked
    policy = {"minimum_backoff": {"seconds": 100}, "maximum_backoff": {"seconds": 600}}
    with Endpoint(statuses=[500, 500]).running() as endpoint:
        topic, _ = bench.pair(push_config={"push_endpoint": endpoint.url}, retry_policy=policy)
        bench.publish(topic, b"poison")
        take(endpoint.got, 1)
        _settle(emulator, waiting=1)
        advance(emulator, 101)
        take(endpoint.got, 1)
        _settle(emulator, waiting=1)
        advance(emulator, 101)
        bench.publish(topic, b"fine")
        (passing,) = take(endpoint.got, 1)
        assert base64.b64decode(json.loads(passing.body)["message"]["data"]) == b"fine"
        assert endpoint.got.empty()
        advance(emulator, 100)
        (third,) = take(endpoint.got, 1)
        assert base64.b64decode(json.loads(third.body)["message"]["data"]) == b"poison"


def test_a_push_without_an_answer_is_given_up_at_its_ack_deadline(clocked: tuple[Emulator, Bench]) -> None:
    """A hung function is called again when its time is over, and not a second before."""
    emulator, bench = clocked
    with Endpoint(hold=threading.Event()).running() as endpoint:
        topic, _ = bench.pair(
            push_config={"push_endpoint": endpoint.url}, ack_deadline_seconds=600, retry_policy=AT_ONCE
        )
        bench.publish(topic, b"hangs")
        take(endpoint.got, 1)
        advance(emulator, 590)
        with pytest.raises(queue.Empty):
            endpoint.got.get(timeout=0.2)
        advance(emulator, 15)
        take(endpoint.got, 1)


def test_pushes_start_one_at_a_time_and_grow_with_success(bench: Bench) -> None:
    """A cold function is not met by the whole backlog at once, and a quick one is not held at one request."""
    with Endpoint(hold=threading.Event()).running() as endpoint:
        topic, name = bench.pair(push_config={"push_endpoint": endpoint.url})
        bench.publish(topic, *(b"%d" % number for number in range(40)))
        take(endpoint.got, 1)
        with pytest.raises(queue.Empty):
            endpoint.got.get(timeout=0.2)
        endpoint.release()
        take(endpoint.got, 39)
        endpoint.hold = threading.Event()
        bench.publish(topic, *(b"%d" % number for number in range(20)))
        take(endpoint.got, 10)  # none of which has an answer
        bench.subscriber.delete_subscription(subscription=name)


def test_pushes_of_a_key_come_one_after_the_other(bench: Bench) -> None:
    """Of one ordering key only one message is out at a time."""
    with Endpoint(statuses=[204, 204, 500]).running() as endpoint:
        push = {"push_endpoint": endpoint.url}
        topic, name = bench.pair(push_config=push, enable_message_ordering=True, retry_policy=AT_ONCE)
        bench.publish(topic, *(b"%d" % number for number in range(10)), key="EWR")
        pushes = take(endpoint.got, 11)
        bench.subscriber.delete_subscription(subscription=name)
    assert endpoint.most_at_once == 1
    got = [int(base64.b64decode(json.loads(each.body)["message"]["data"])) for each in pushes]
    assert got == [0, 1, 2, 2, 3, 4, 5, 6, 7, 8, 9]


def test_an_unwrapped_push_is_the_data_with_metadata_in_headers(bench: Bench) -> None:
    """For endpoints that know nothing of Pub/Sub."""
    with Endpoint().running() as endpoint:
        push = {"push_endpoint": endpoint.url, "no_wrapper": {"write_metadata": True}}
        topic, name = bench.pair(push_config=push)
        (message_id,) = bench.publish(topic, b'{"plain": 1}', origin="EWR")
        (got,) = take(endpoint.got, 1)
        bench.subscriber.delete_subscription(subscription=name)
    assert got.body == b'{"plain": 1}'
    assert got.headers["origin"] == "EWR"
    assert got.headers["x-goog-pubsub-message-id"] == message_id
    assert got.headers["x-goog-pubsub-subscription-name"] == name


def test_a_push_token_verifies_against_the_emulators_keys(bench: Bench, emulator: Emulator) -> None:
    """Functions check who calls them; google-auth's own verifier must be content."""
    with Endpoint().running() as endpoint:
        token = {"service_account_email": "pusher@bench-project.iam.gserviceaccount.com", "audience": "my-audience"}
        topic, name = bench.pair(push_config={"push_endpoint": endpoint.url, "oidc_token": token})
        bench.publish(topic, b"data")
        (got,) = take(endpoint.got, 1)
        bench.subscriber.delete_subscription(subscription=name)
    claims = _verified(got.headers["authorization"].removeprefix("Bearer "), emulator)
    assert (claims["email"], claims["email_verified"]) == (token["service_account_email"], True)


def test_a_running_subscription_turns_from_pull_to_push(any_bench: Bench) -> None:
    """Wiring sets the endpoint of a subscription that already has a backlog."""
    topic, name = any_bench.pair()
    any_bench.publish(topic, b"waiting")
    with Endpoint().running() as endpoint:
        any_bench.subscriber.modify_push_config(subscription=name, push_config={"push_endpoint": endpoint.url})
        take(endpoint.got, 1)
        any_bench.subscriber.modify_push_config(subscription=name, push_config={})
        any_bench.publish(topic, b"pulled")
        assert [each.message.data for each in any_bench.pull(name)] == [b"pulled"]


def _verified(token: str, emulator: Emulator) -> dict[str, Any]:
    certificates = f"{emulator.control_url}/oauth2/v1/certs"
    request = Request()
    try:
        found = id_token.verify_token(token, request, audience="my-audience", certs_url=certificates)
    finally:
        request.session.close()
    return dict(found)


def _settle(emulator: Emulator, waiting: int) -> None:
    """Return once no message is out and `waiting` are unacknowledged."""
    for _ in range(500):
        health = emulator.control("GET", "/health").json()
        if (health["leased"], health["unacknowledged"]) == (0, waiting):
            return
        time.sleep(0.01)
    raise AssertionError(f"Expected {waiting} waiting and none out. Found {health}.")
