"""What every part of the emulator works with: clock, faults, store, schemas, keys, network, work beside the calls."""

import asyncio
import time
from collections.abc import Sequence
from typing import Any

import httpx

from emulators.clock import Clock
from emulators.faults import CallAndDeliveryFaults, Faults
from emulators.pubsub.delivery import DELIVER
from emulators.pubsub.durable import Memory
from emulators.pubsub.message import Message
from emulators.pubsub.schemas import Schemas
from emulators.pubsub.tokens import Signer


class Runtime:
    """One of each; `state.PubSub` adds what clients create."""

    def __init__(self, store: Memory) -> None:
        self.clock = Clock()
        self.faults: Faults = CallAndDeliveryFaults(DELIVER)
        self.store = store
        self.schemas = Schemas()
        self.signer = Signer()
        self.http = httpx.AsyncClient(
            timeout=httpx.Timeout(None, connect=10.0),  # a push lives as long as its ack deadline
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=100, keepalive_expiry=4.0),
            trust_env=False,
        )
        self._last_id = time.time_ns() // 1000  # never an id of an earlier process: fewer than a million a second
        self._tasks: set[asyncio.Task[None]] = set()

    def next_id(self) -> int:
        """A number never given before: for messages, subscriptions, topics and snapshots."""
        self._last_id += 1
        return self._last_id

    def drop(self, messages: Sequence[Message]) -> None:
        """One holder less for each; those without any leave the store."""
        orphans: list[int] = []
        for message in messages:
            message.holders -= 1
            if message.holders <= 0:
                orphans.append(message.seq)
        self.store.remove_messages(orphans)

    def spawn(self, work: Any) -> "asyncio.Task[None]":
        """Run a coroutine beside the calls; it is cancelled when the emulator stops."""
        task: asyncio.Task[None] = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def stop(self) -> None:
        """End what runs beside the calls, hang up, and let go of the store."""
        for task in list(self._tasks):
            task.cancel()
        await self.http.aclose()
        self.store.close()
