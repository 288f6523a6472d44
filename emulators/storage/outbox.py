"""Notifications to Pub/Sub: recorded in the transaction of the write, published afterwards until acknowledged.

A process that dies in between loses none; it may publish one twice, as the service may.
https://cloud.google.com/storage/docs/pubsub-notifications
"""

import asyncio
import logging
import os
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson

from emulators.faults import Faults, die
from emulators.storage.presentation import with_links
from emulators.storage.state import Generation, Store

OPERATION = "storage.notifications.publish"
_BATCH = 200
_WAIT_SECONDS = (0.05, 2.0)  # between attempts: the first, and what it doubles up to
_PUBLISH_SECONDS = 10.0
_CHANNEL_OPTIONS = [("grpc.max_reconnect_backoff_ms", 1000), ("grpc.max_send_message_length", -1)]

Message = tuple[dict[str, str], bytes]  # attributes and data

logger = logging.getLogger(__name__)


def record(store: Store, event: str, subject: Generation, attributes: dict[str, str]) -> None:
    """Put one message for each notification configuration that wants `event`, within the caller's transaction."""
    for config_id, stored in store.rows("SELECT id, resource FROM notifications WHERE bucket = ?", subject.bucket):
        config: dict[str, Any] = orjson.loads(stored)
        if event not in config.get("event_types", [event]):
            continue
        if not subject.name.startswith(config.get("object_name_prefix", "")):
            continue
        wanted = config["payload_format"] != "NONE"
        message = {
            **config.get("custom_attributes", {}),
            "notificationConfig": f"projects/_/buckets/{subject.bucket}/notificationConfigs/{config_id}",
            "eventType": event,
            "payloadFormat": config["payload_format"],
            "bucketId": subject.bucket,
            "objectId": subject.name,
            "objectGeneration": str(subject.generation),
            "eventTime": datetime.fromtimestamp(store.clock.now(), UTC).isoformat().replace("+00:00", "Z"),
            **attributes,
        }
        topic = config["topic"].removeprefix("//pubsub.googleapis.com/")
        store.run(
            "INSERT INTO outbox (topic, attributes, data) VALUES (?, ?, ?)",
            *(topic, orjson.dumps(message), orjson.dumps(payload(subject)) if wanted else b""),
        )


def payload(subject: Generation) -> dict[str, Any]:
    """The object resource as a JSON_API_V1 payload carries it: with the links of the real service."""
    return with_links(subject.resource, "https://www.googleapis.com", "https://storage.googleapis.com")


@dataclass
class _Batch:
    """Messages for one call of Pub/Sub, the numbers that are done by it, and what befalls its answer."""

    messages: list[Message] = field(default_factory=list)
    done: list[int] = field(default_factory=list)
    after: str = ""


class Publisher:
    """Empties the outbox into Pub/Sub, for as long as the emulator runs."""

    def __init__(self, store: Store, faults: Faults) -> None:
        self._store = store
        self._faults = faults
        self._work = asyncio.Event()
        self._channel: Any = None
        self._last_error = ""
        self._held: set[int] = set()  # numbers of messages that a fault keeps back until the next

    def wake(self) -> None:
        """There may be something to publish."""
        self._work.set()

    def waiting(self) -> int:
        """Messages not acknowledged yet."""
        return int(self._store.value("SELECT count(*) FROM outbox"))

    @property
    def last_error(self) -> str:
        """Why the last attempt failed, or empty."""
        return self._last_error

    async def run(self) -> None:
        """Publish what was recorded, topic by topic, and wait for more."""
        pause = _WAIT_SECONDS[0]
        while True:
            self._work.clear()
            failed = False
            for (topic,) in self._store.rows("SELECT DISTINCT topic FROM outbox"):
                failed |= not await self._publish_some(topic)
            if failed:
                await asyncio.sleep(pause)
                pause = min(pause * 2, _WAIT_SECONDS[1])
            else:
                pause = _WAIT_SECONDS[0]
                if self.waiting() <= len(self._held):
                    await self._work.wait()

    async def _publish_some(self, topic: str) -> bool:
        """Publish the oldest messages of a topic; whether that went well."""
        batch = await self._batch_of(topic)
        if batch is None or (batch.messages and not await self._publish(topic, batch.messages)):
            return False
        if batch.after == "crash_after":
            die()
        if batch.after in ("lose_answer", "break_stream"):
            self._last_error = f"The answer to {OPERATION} was lost, as ordered."
            return False
        with self._store.transaction():
            for number in batch.done:
                self._store.run("DELETE FROM outbox WHERE number = ?", number)
        return True

    async def _batch_of(self, topic: str) -> "_Batch | None":
        """What to publish next, with what faults make of it; None where one refuses the whole."""
        query = f"SELECT number, attributes, data FROM outbox WHERE topic = ? ORDER BY number LIMIT {_BATCH}"
        batch = _Batch()
        held: list[tuple[int, Message]] = []
        for number, attributes, data in self._store.rows(query, topic):
            message = (orjson.loads(attributes), data)
            fault = None if number in self._held else self._faults.take(OPERATION)
            action = "reorder" if number in self._held else fault.action if fault else ""
            if fault and action == "delay":
                await asyncio.sleep(fault.delay_seconds)
            if fault and action == "error":
                self._last_error = f"Fault {fault.id} was ordered for {OPERATION}."
                return None
            if action == "crash_before":
                die()
            if action == "reorder":  # until there is another to go before it
                held.append((number, message))
                continue
            if action in ("crash_after", "lose_answer", "break_stream"):
                batch.after = action
            batch.messages += [message] * {"drop": 0, "double": 2}.get(action, 1) + [late for _, late in held]
            batch.done += [number] + [late for late, _ in held]
            held.clear()
        self._held = (self._held - set(batch.done)) | {number for number, _ in held}
        return batch

    async def _publish(self, topic: str, messages: list[Message]) -> bool:
        """Whether Pub/Sub acknowledged all of `messages`."""
        host = os.environ.get("PUBSUB_EMULATOR_HOST", "")
        if not host:
            self._last_error = "PUBSUB_EMULATOR_HOST is not set, so notifications wait."
            return False
        try:
            await asyncio.to_thread(self._send, host, topic, messages)
        except Exception as error:  # noqa: BLE001 - whatever went wrong, the messages stay and are tried again
            if str(error) != self._last_error:
                logger.warning("Notifications to %s wait: %s", topic, error)
            self._last_error = str(error)
            return False
        self._last_error = ""
        return True

    def _send(self, host: str, topic: str, messages: list[Message]) -> None:
        import grpc  # here, not above: half a second of import that only buckets with notifications need
        from google.pubsub_v1 import PublishRequest, PublishResponse

        if self._channel is None:
            self._channel = grpc.insecure_channel(host, options=_CHANNEL_OPTIONS)
        publish = self._channel.unary_unary(
            "/google.pubsub.v1.Publisher/Publish",
            request_serializer=PublishRequest.serialize,
            response_deserializer=PublishResponse.deserialize,
        )
        listed = [{"attributes": attributes, "data": data} for attributes, data in messages]
        publish(PublishRequest(topic=topic, messages=listed), timeout=_PUBLISH_SECONDS, wait_for_ready=False)
