"""The RPCs of google.pubsub.v1.Subscriber, with those of `seeking.py` and `streaming.py`."""

import asyncio
from typing import Any

from google.protobuf import empty_pb2
from google.pubsub_v1 import types

from emulators.pubsub import configuration, limits
from emulators.pubsub.entry import Consumer, Delivery
from emulators.pubsub.errors import already_exists, exactly_once_failure, not_found, too_small
from emulators.pubsub.names import project_of
from emulators.pubsub.pages import page
from emulators.pubsub.seeking import Seeking
from emulators.pubsub.state import PubSub
from emulators.pubsub.streaming import Streaming
from emulators.pubsub.subscription import Subscription

ListSubscriptionsResponse = types.ListSubscriptionsResponse.pb()
PullResponse = types.PullResponse.pb()
ReceivedMessage = types.ReceivedMessage.pb()

_PULL_SECONDS = 5.0  # how long a pull waits for a first message before it answers with none
_PULL_MOST = 1_000


class Subscriber(Seeking, Streaming):
    """One method an RPC; each takes the request message and returns the response message."""

    def __init__(self, pubsub: PubSub) -> None:
        self._pubsub = pubsub

    async def create_subscription(self, request: Any) -> Any:
        config = configuration.complete_subscription(request)
        self._check_new(config)
        await self._pubsub.check_outlet(config)
        self._check_new(config)  # that may have taken a minute, in which others create and delete
        subscription = self._pubsub.put_subscription(config)
        await self._pubsub.store.flush()
        return subscription.config

    def _check_new(self, config: Any) -> None:
        """Raises ALREADY_EXISTS or, for its topic, NOT_FOUND."""
        if config.name in self._pubsub.subscriptions:
            raise already_exists(config.name)
        self._pubsub.topic(config.topic)

    async def get_subscription(self, request: Any) -> Any:
        return self._pubsub.subscription(request.subscription).config

    async def update_subscription(self, request: Any) -> Any:
        await self._pubsub.check_outlet(self._updated(request))
        subscription = self._pubsub.put_subscription(self._updated(request))  # of what is stored by now
        await self._pubsub.store.flush()
        return subscription.config

    def _updated(self, request: Any) -> Any:
        """The stored configuration with what an update changes."""
        present = self._pubsub.subscription(request.subscription.name).config
        return configuration.complete_subscription(
            configuration.updated(present, request.subscription, request.update_mask)
        )

    async def list_subscriptions(self, request: Any) -> Any:
        stored = self._pubsub.subscriptions
        inside = (name for name in stored if f"projects/{project_of(name)}" == request.project)
        names, token = page(inside, request.page_size, request.page_token)
        return ListSubscriptionsResponse(subscriptions=[stored[n].config for n in names], next_page_token=token)

    async def delete_subscription(self, request: Any) -> Any:
        self._pubsub.delete_subscription(self._pubsub.subscription(request.subscription))
        await self._pubsub.store.flush()
        return empty_pb2.Empty()

    async def modify_push_config(self, request: Any) -> Any:
        subscription = self._pubsub.subscription(request.subscription)
        config = type(subscription.config)()
        config.CopyFrom(subscription.config)
        config.push_config.CopyFrom(request.push_config)
        self._pubsub.put_subscription(configuration.complete_subscription(config))
        await self._pubsub.store.flush()
        return empty_pb2.Empty()

    async def acknowledge(self, request: Any) -> Any:
        subscription = self._pubsub.subscription(request.subscription)
        limits.check_ack_ids(request)
        failed = subscription.acknowledge(request.ack_ids)
        await self._pubsub.store.flush()
        if failed:
            raise exactly_once_failure(failed)
        return empty_pb2.Empty()

    async def modify_ack_deadline(self, request: Any) -> Any:
        subscription = self._pubsub.subscription(request.subscription)
        limits.check_ack_ids(request)
        limits.check_between("ack_deadline_seconds", request.ack_deadline_seconds, (0, limits.ACK_DEADLINE_SECONDS[1]))
        failed = subscription.modify_deadline(request.ack_ids, request.ack_deadline_seconds)
        if failed:
            raise exactly_once_failure(failed)
        return empty_pb2.Empty()

    async def pull(self, request: Any) -> Any:
        subscription = self._pubsub.subscription(request.subscription)
        subscription.check_deliverable()
        if request.max_messages < 1:
            raise too_small("max_messages", request.max_messages, 1)
        wait = 0.0 if request.return_immediately else _PULL_SECONDS
        taken = await _first_messages(subscription, min(request.max_messages, _PULL_MOST), wait)
        return PullResponse(received_messages=received(subscription, taken))


async def _first_messages(subscription: Subscription, limit: int, seconds: float) -> list[Delivery]:
    """Up to `limit` messages as soon as there is one; none when there is none for `seconds`."""
    woken = asyncio.Event()
    consumer = Consumer(wake=woken.set, deadline_seconds=subscription.config.ack_deadline_seconds)
    subscription.queue.consumers.append(consumer)
    try:
        async with asyncio.timeout(seconds):
            while not subscription.closed:
                taken = subscription.take(consumer, limit)
                if taken or not seconds:
                    return taken
                woken.clear()
                await woken.wait()
            raise not_found(subscription.name)
    except TimeoutError:
        return []
    finally:
        subscription.queue.leave(consumer)


def received(subscription: Subscription, deliveries: list[Delivery]) -> list[Any]:
    """Deliveries as ReceivedMessage."""
    return [
        ReceivedMessage(
            ack_id=ack_id, message=entry.message.body, delivery_attempt=subscription.delivery_attempt(entry)
        )
        for ack_id, entry in deliveries
    ]
