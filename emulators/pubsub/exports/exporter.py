"""The one consumer of an export subscription: takes messages, has them written, acknowledges what was.

https://cloud.google.com/pubsub/docs/bigquery and /cloudstorage: a message is acknowledged once it is written, so one
may be written twice and none is lost. What cannot be written counts as a failed delivery, towards the dead-letter
policy, and slows the subscription down as a failing push endpoint would. A service that does not answer at all counts
for nothing: on one machine it has only not been started yet.
"""

import asyncio

from emulators.faults import Fault, die
from emulators.pubsub.entry import Consumer, Delivery, Entry
from emulators.pubsub.exports.settings import kind_of
from emulators.pubsub.exports.sink import Sink, Unreachable, Unwritable
from emulators.pubsub.runtime import Runtime
from emulators.pubsub.subscription import Subscription

_HOLD_SECONDS = 86_400.0  # a batch that waits for its file to fill keeps its messages
_PAUSE_SECONDS = (0.1, 60.0)
_UNREACHABLE_SECONDS = 0.5


class Exporter:
    """Fills batches for a sink, one write at a time."""

    def __init__(self, runtime: Runtime, subscription: Subscription, sink: Sink) -> None:
        self.kind = kind_of(subscription.config)
        self._runtime = runtime
        self._subscription = subscription
        self._sink = sink
        self._batch: dict[Entry, Delivery] = {}
        self._opened = 0.0  # when the first message of the batch was taken
        self._writing: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._paused = False
        self._failures_in_a_row = 0
        self._consumer = Consumer(wake=self.pump, deadline_seconds=10, expired=self.expired)
        subscription.queue.consumers.append(self._consumer)

    def configure(self) -> None:
        """Take up a changed configuration; what failed under the old one is not held against it."""
        self._sink.config = self._subscription.config
        self._consumer.deadline_seconds = self._subscription.config.ack_deadline_seconds
        self._failures_in_a_row, self._paused = 0, False

    def pump(self) -> None:
        """Take what there is, and write it when the batch is full or its time has come."""
        if self._writing is not None or self._paused or self._subscription.closed:
            return
        limits = self._sink.limits()
        self._consumer.max_messages, self._consumer.max_bytes = limits.messages, limits.bytes
        while taken := self._subscription.take(self._consumer, limits.messages):
            self._opened = self._opened if self._batch else self._runtime.clock.now()
            self._subscription.modify_deadline([each.ack_id for each in taken], _HOLD_SECONDS)
            self._batch |= {each.entry: each for each in taken}
        if not self._batch:
            return
        left = self._opened + limits.seconds - self._runtime.clock.now()
        if left <= 0 or not self._consumer.has_room():
            self._writing = self._runtime.spawn(self._write())
        else:
            self._wait(left)

    def expired(self, entry: Entry) -> None:
        """The message is no longer ours: a seek took it."""
        self._batch.pop(entry, None)

    def close(self) -> None:
        """Write no more; what was taken comes again to whoever is next; where all ends, nothing failed."""
        self._subscription.queue.leave(self._consumer)
        if self._timer is not None:
            self._timer.cancel()
        if self._writing is not None:
            self._writing.cancel()
        if not self._subscription.closed:
            self._subscription.modify_deadline([each.ack_id for each in self._batch.values()], 0)

    def _wait(self, seconds: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(seconds, self._go_on)

    def _go_on(self) -> None:
        self._paused = False
        self.pump()

    async def _write(self) -> None:
        batch = dict(self._batch)
        try:
            refused = await self._attempt(list(batch))
        except Unreachable:
            self._pause(_UNREACHABLE_SECONDS)  # the batch stays as it is
        except Unwritable as error:
            self._settle(batch, dict.fromkeys(batch, error.reason), error.state)
            await self._runtime.store.flush()
        else:
            self._settle(batch, refused, "SCHEMA_MISMATCH" if refused else "ACTIVE")
            await self._runtime.store.flush()
        finally:
            self._writing = None
        self.pump()

    async def _attempt(self, entries: list[Entry]) -> dict[Entry, str]:
        fault = self._runtime.faults.take(self._sink.operation)
        await self._suffer(fault)
        refused = await self._sink.write(entries)
        if fault is not None and fault.action == "crash_after":
            die()
        if fault is not None and fault.action in ("lose_answer", "break_stream"):
            raise Unreachable(f"Fault {fault.id} was ordered for {fault.operation}.")
        return refused

    async def _suffer(self, fault: Fault | None) -> None:
        if fault is None:
            return
        if fault.action == "crash_before":
            die()
        if fault.action == "error":
            raise Unwritable("ACTIVE", f"Fault {fault.id} was ordered for {fault.operation}: {fault.status}.")
        if fault.action == "delay":
            await asyncio.sleep(fault.delay_seconds)

    def _settle(self, batch: dict[Entry, Delivery], refused: dict[Entry, str], state: str) -> None:
        """Acknowledge what was written, give back the rest, and show the state."""
        self._batch = {entry: each for entry, each in self._batch.items() if entry not in batch}
        self._show(state)
        self._subscription.acknowledge([each.ack_id for entry, each in batch.items() if entry not in refused])
        for entry in batch:
            entry.error = refused.get(entry, "")
        self._failures_in_a_row = self._failures_in_a_row + 1 if refused else 0
        if refused and self._slows_down(state):
            shortest, longest = _PAUSE_SECONDS
            self._pause(min(longest, shortest * 2.0 ** min(self._failures_in_a_row - 1, 20)))
        self._subscription.modify_deadline([each.ack_id for entry, each in batch.items() if entry in refused], 0)

    def _slows_down(self, state: str) -> bool:
        """Whether a failure pauses all: not under a retry policy, and not for a mismatch that a dead letter ends."""
        backoff = self._subscription.queue.rules.backoff
        if backoff is not None and backoff[0] > 0:
            return False
        return not (state == "SCHEMA_MISMATCH" and self._subscription.config.HasField("dead_letter_policy"))

    def _pause(self, seconds: float) -> None:
        self._paused = True
        self._wait(seconds)

    def _show(self, state: str) -> None:
        config = self._subscription.config
        export = getattr(config, kind_of(config))
        export.state = export.State.Value(state)
        config.state = config.State.Value("ACTIVE" if state == "ACTIVE" else "RESOURCE_ERROR")
