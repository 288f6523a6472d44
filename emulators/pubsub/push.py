"""Push delivery: messages as HTTP requests, as many at a time as the endpoint has shown it can take.

https://cloud.google.com/pubsub/docs/push: the window of requests under way starts at one, grows with each success and
halves with each failure. A failed message waits for the retry policy's back-off; without one the whole subscription
pauses, from 100 ms to 60 s (push back-off), so an endpoint that is down is never called in a hot loop.
"""

import asyncio
import base64
import time
from functools import partial
from typing import Any

import httpx
import orjson

from emulators.pubsub.entry import Consumer, Delivery, Entry
from emulators.pubsub.runtime import Runtime
from emulators.pubsub.subscription import Subscription

ACKNOWLEDGED = frozenset({102, 200, 201, 202, 204})
MAX_WINDOW = 256
_SLOW_SECONDS = 1.0  # an answer slower than this widens the window by one a window, not by one a request
_PAUSE_SECONDS = (0.1, 60.0)
_USER_AGENT = "CloudPubSub-Google"


class Pusher:
    """The one consumer of a push subscription."""

    kind = "push_config"

    def __init__(self, runtime: Runtime, subscription: Subscription) -> None:
        self._runtime = runtime
        self._subscription = subscription
        self._endpoint = ""
        self._window = 1.0
        self._failures_in_a_row = 0
        self._paused_until = 0.0
        self._resume: asyncio.TimerHandle | None = None
        self._under_way: dict[Entry, asyncio.Task[None]] = {}
        self._consumer = Consumer(wake=self.pump, deadline_seconds=10, one_per_key=True, expired=self.expired)
        subscription.queue.consumers.append(self._consumer)

    def configure(self) -> None:
        """Take up a changed configuration; what an old endpoint did is not held against a new one."""
        if self._endpoint != self._subscription.config.push_config.push_endpoint:
            self._endpoint = self._subscription.config.push_config.push_endpoint
            self._window, self._failures_in_a_row, self._paused_until = 1.0, 0, 0.0
        self._consumer.deadline_seconds = self._subscription.config.ack_deadline_seconds

    def pump(self) -> None:
        """Send what may be sent now."""
        if self._runtime.clock.now() < self._paused_until or self._subscription.closed:
            return
        self._consumer.max_messages = int(self._window)
        for delivery in self._subscription.take(self._consumer, int(self._window)):
            task = self._runtime.spawn(self._push(delivery))
            self._under_way[delivery.entry] = task
            task.add_done_callback(partial(self._over, delivery.entry))

    def expired(self, entry: Entry) -> None:
        """The ack deadline passed before the endpoint answered: hang up. The queue has already failed the message."""
        task = self._under_way.get(entry)
        if task is not None:
            task.cancel()
            self._failed()

    def close(self) -> None:
        """Hang up on all requests under way and take no more; what was out comes again after its deadline."""
        self._subscription.queue.leave(self._consumer)
        if self._resume is not None:
            self._resume.cancel()
        for task in self._under_way.values():
            task.cancel()

    def _over(self, entry: Entry, task: "asyncio.Task[None]") -> None:
        if self._under_way.get(entry) is task:
            del self._under_way[entry]

    async def _push(self, delivery: Delivery) -> None:
        started = time.monotonic()
        try:
            answer = await self._runtime.http.send(self._request(delivery))
            accepted = answer.status_code in ACKNOWLEDGED
        except (httpx.HTTPError, httpx.InvalidURL, OSError):
            accepted = False
        if accepted:
            self._succeeded(time.monotonic() - started)
            self._subscription.acknowledge([delivery.ack_id])
            await self._runtime.store.flush()
        else:
            self._failed()
            self._subscription.modify_deadline([delivery.ack_id], 0)

    def _succeeded(self, seconds: float) -> None:
        self._failures_in_a_row = 0
        growth = 1.0 if seconds < _SLOW_SECONDS else 1.0 / self._window
        self._window = min(MAX_WINDOW, self._window + growth)

    def _failed(self) -> None:
        self._window = max(1.0, self._window / 2)
        self._failures_in_a_row += 1
        backoff = self._subscription.queue.rules.backoff
        if backoff is not None and backoff[0] > 0:
            return
        shortest, longest = _PAUSE_SECONDS
        pause = min(longest, shortest * 2.0 ** min(self._failures_in_a_row - 1, 20))
        self._paused_until = self._runtime.clock.now() + pause
        if self._resume is not None:
            self._resume.cancel()
        self._resume = asyncio.get_running_loop().call_later(pause, self._go_on)

    def _go_on(self) -> None:
        self._paused_until = 0.0
        self.pump()

    def _request(self, delivery: Delivery) -> httpx.Request:
        config = self._subscription.config
        push = config.push_config
        headers = {"user-agent": _USER_AGENT, "from": "noreply@google.com"}
        if push.HasField("oidc_token"):
            audience = push.oidc_token.audience or push.push_endpoint
            token = self._runtime.signer.token(push.oidc_token.service_account_email, audience)
            headers["authorization"] = f"Bearer {token}"
        attempt = self._subscription.delivery_attempt(delivery.entry)
        body = delivery.entry.message.body
        if push.HasField("no_wrapper"):
            if push.no_wrapper.write_metadata:
                headers |= _metadata(config.name, body, attempt)
            content = body.data
        else:
            headers["content-type"] = "application/json"
            content = wrapped(config.name, body, attempt)
        encoded = [(name.encode(), value.encode()) for name, value in headers.items()]
        return httpx.Request("POST", push.push_endpoint, headers=encoded, content=content)


def wrapped(subscription: str, body: Any, attempt: int) -> bytes:
    """The JSON body of a push; each of id and time under both of its names, as the service has it."""
    published = body.publish_time.ToJsonString()
    message: dict[str, Any] = {
        "messageId": body.message_id,
        "message_id": body.message_id,
        "publishTime": published,
        "publish_time": published,
    }
    if body.data:
        message["data"] = base64.b64encode(body.data).decode()
    if body.attributes:
        message["attributes"] = dict(body.attributes)
    if body.ordering_key:
        message["orderingKey"] = body.ordering_key
    envelope: dict[str, Any] = {"message": message, "subscription": subscription}
    if attempt:
        envelope["deliveryAttempt"] = attempt
    return orjson.dumps(envelope)


def _metadata(subscription: str, body: Any, attempt: int) -> dict[str, str]:
    """What an unwrapped push says in headers: https://cloud.google.com/pubsub/docs/payload-unwrapping."""
    headers = {str(key): str(value) for key, value in body.attributes.items()}
    headers["x-goog-pubsub-subscription-name"] = subscription
    headers["x-goog-pubsub-message-id"] = body.message_id
    headers["x-goog-pubsub-publish-time"] = body.publish_time.ToJsonString()
    if body.ordering_key:
        headers["x-goog-pubsub-ordering-key"] = body.ordering_key
    if attempt:
        headers["x-goog-pubsub-delivery-attempt"] = str(attempt)
    return headers
