"""StreamingPull: messages as they come, under flow control; acknowledgements and deadlines on the same stream."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from google.pubsub_v1 import types

from emulators.pubsub import limits
from emulators.pubsub.entry import Consumer
from emulators.pubsub.errors import ServiceError, invalid, not_found
from emulators.pubsub.state import PubSub
from emulators.pubsub.subscription import Subscription

StreamingPullResponse = types.StreamingPullResponse.pb()
ReceivedMessage = types.ReceivedMessage.pb()

_BATCH = 1_000


class Stream:
    """One open stream: what its client asked for, and what is to be sent."""

    def __init__(self, subscription: Subscription, first: Any) -> None:
        self.subscription = subscription
        self.woken = asyncio.Event()
        self.answers: list[Any] = []  # confirmations of acknowledgements, for exactly-once delivery
        self.error: ServiceError | None = None
        self.ended = False
        self.consumer = Consumer(
            wake=self.woken.set,
            deadline_seconds=_stream_deadline(first),
            max_messages=max(0, first.max_outstanding_messages),
            max_bytes=max(0, first.max_outstanding_bytes),
        )

    def properties(self) -> dict[str, bool]:
        """What each answer says of the subscription; the client follows a change of it."""
        config = self.subscription.config
        return {
            "exactly_once_delivery_enabled": config.enable_exactly_once_delivery,
            "message_ordering_enabled": config.enable_message_ordering,
        }

    async def read(self, requests: AsyncIterator[Any], flush: Any) -> None:
        """Take up what the client sends until it ends its side."""
        try:
            async for request in requests:
                if request.stream_ack_deadline_seconds:
                    self.consumer.deadline_seconds = _stream_deadline(request)
                await self._acknowledge(request, flush)
        except ServiceError as error:
            self.error = error
        self.ended = True
        self.woken.set()

    async def _acknowledge(self, request: Any, flush: Any) -> None:
        exactly_once = self.subscription.config.enable_exactly_once_delivery
        if request.ack_ids:
            failed = set(self.subscription.acknowledge(request.ack_ids))
            await flush()
            if exactly_once:
                good = [ack_id for ack_id in request.ack_ids if ack_id not in failed]
                self._answer(acknowledge_confirmation={"ack_ids": good, "invalid_ack_ids": list(failed)})
        if len(request.modify_deadline_seconds) != len(request.modify_deadline_ack_ids):
            raise invalid("modify_deadline_seconds and modify_deadline_ack_ids must have the same length.")
        lost: set[str] = set()
        for ack_id, seconds in zip(request.modify_deadline_ack_ids, request.modify_deadline_seconds, strict=True):
            lost.update(self.subscription.modify_deadline([ack_id], seconds))
        if request.modify_deadline_ack_ids and exactly_once:
            good = [ack_id for ack_id in request.modify_deadline_ack_ids if ack_id not in lost]
            self._answer(modify_ack_deadline_confirmation={"ack_ids": good, "invalid_ack_ids": list(lost)})

    def _answer(self, **fields: Any) -> None:
        self.answers.append(StreamingPullResponse(subscription_properties=self.properties(), **fields))
        self.woken.set()

    def next_answers(self) -> list[Any]:
        """What can be sent now."""
        answers, self.answers = self.answers, []
        deliveries = self.subscription.take(self.consumer, _BATCH)
        if deliveries:
            attempt = self.subscription.delivery_attempt
            answers.append(
                StreamingPullResponse(
                    received_messages=[
                        ReceivedMessage(ack_id=ack_id, message=entry.message.body, delivery_attempt=attempt(entry))
                        for ack_id, entry in deliveries
                    ],
                    subscription_properties=self.properties(),
                )
            )
        return answers


class Streaming:
    """The StreamingPull part of the Subscriber service."""

    _pubsub: PubSub

    async def streaming_pull(self, requests: AsyncIterator[Any]) -> AsyncIterator[Any]:
        first = await anext(requests, None)
        if first is None or not first.subscription:
            raise invalid("The first request of a stream must name the subscription; it is empty.")
        subscription = self._pubsub.subscription(first.subscription)
        subscription.check_deliverable()
        stream = Stream(subscription, first)
        subscription.queue.consumers.append(stream.consumer)
        reader = asyncio.create_task(stream.read(requests, self._pubsub.store.flush))
        known = stream.properties()
        try:
            yield StreamingPullResponse(subscription_properties=known)
            while not stream.ended:
                stream.woken.clear()
                if subscription.closed:
                    raise not_found(subscription.name)
                subscription.check_deliverable()
                if stream.properties() != known:
                    known = stream.properties()
                    yield StreamingPullResponse(subscription_properties=known)
                answers = stream.next_answers()
                for answer in answers:
                    yield answer
                if not answers:
                    await stream.woken.wait()
            if stream.error is not None:
                raise stream.error
        finally:
            reader.cancel()
            subscription.queue.leave(stream.consumer)


def _stream_deadline(request: Any) -> int:
    """Seconds of lease for messages on a stream, from 10 to 600."""
    seconds = int(request.stream_ack_deadline_seconds)
    limits.check_between("stream_ack_deadline_seconds", seconds, limits.ACK_DEADLINE_SECONDS)
    return seconds
