"""One subscription: its configuration, its queue, what it keeps of the acknowledged, and its timer."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from emulators.pubsub.delivery import Queue, Rules
from emulators.pubsub.entry import Consumer, Delivery, Entry
from emulators.pubsub.errors import failed_precondition, invalid
from emulators.pubsub.exports.settings import kind_of
from emulators.pubsub.filters import compile_filter
from emulators.pubsub.message import Message
from emulators.pubsub.outlet import Outlet
from emulators.pubsub.runtime import Runtime


class Subscription:
    """`config` is the google.pubsub.v1.Subscription as clients see it; change it through `configure` only.

    `dead_letter` moves an entry to the dead-letter topic of its subscription; False when there is no such topic.
    """

    def __init__(
        self, runtime: Runtime, config: Any, uid: int, dead_letter: "Callable[[Subscription, Entry], bool]"
    ) -> None:
        self.config = config
        self.uid = uid
        self.closed = False
        self.active_at = runtime.clock.now()
        self.retained: dict[int, Message] = {}  # acknowledged, kept for seeking back
        self.outlet: Outlet | None = None
        self.matches: Callable[[Mapping[str, str]], bool] = compile_filter(config.filter)
        self._runtime = runtime
        self._dead_letter = dead_letter
        self.queue = Queue(uid, runtime.clock, runtime.faults, self._rules(), self._done, self._failed)
        self._timer: asyncio.TimerHandle | None = None
        self._timer_due = float("inf")

    @property
    def name(self) -> str:
        """The full name."""
        return str(self.config.name)

    def configure(self, config: Any) -> None:
        """Take a new configuration; messages under way keep their leases."""
        self.config = config
        self.queue.rules = self._rules()
        if not config.retain_acked_messages:
            self.forget_retained(float("inf"))

    def _rules(self) -> Rules:
        config = self.config
        backoff = None
        if config.HasField("retry_policy"):
            policy = config.retry_policy
            backoff = (seconds_of(policy.minimum_backoff), seconds_of(policy.maximum_backoff))
        return Rules(config.enable_exactly_once_delivery, config.enable_message_ordering, backoff)

    # Messages

    def add(self, messages: Iterable[Message]) -> None:
        """Put published messages in line."""
        for message in messages:
            if message.seq in self.queue.entries:  # a seek, while the message was being stored, was faster
                self._runtime.drop([message])
            else:
                self.queue.add(message)
        self.queue.notify()

    def take(self, consumer: Consumer, limit: int) -> list[Delivery]:
        """Lease messages to a consumer; see `Queue.take`."""
        taken = self.queue.take(consumer, limit)
        self.active_at = self._runtime.clock.now()
        self.arm()
        return taken

    def acknowledge(self, ack_ids: Iterable[str]) -> list[str]:
        """See `Queue.acknowledge`."""
        return self.queue.acknowledge(self._wellformed(ack_ids))

    def modify_deadline(self, ack_ids: Iterable[str], seconds: float) -> list[str]:
        """See `Queue.modify_deadline`."""
        invalid_ids = self.queue.modify_deadline(self._wellformed(ack_ids), seconds)
        self.arm()
        return invalid_ids

    def _wellformed(self, ack_ids: Iterable[str]) -> list[str]:
        given = list(ack_ids)
        if not self.config.enable_exactly_once_delivery:
            for ack_id in given:
                if ack_id.count("-") != 2:
                    raise invalid(f"You have passed an invalid ack ID to the service (ack_id={ack_id}).")
        return given

    def check_deliverable(self) -> None:
        """Raises FAILED_PRECONDITION unless messages can be pulled."""
        if self.config.detached:
            raise failed_precondition(f"Subscription is detached (resource={self.name}).")
        if self.config.push_config.push_endpoint or kind_of(self.config):
            does = "pushes" if self.config.push_config.push_endpoint else "exports"
            raise failed_precondition(
                f"This method is not supported for this subscription type (resource={self.name}): it {does}."
            )

    def delivery_attempt(self, entry: Entry) -> int:
        """Which delivery of this message it is, from 1; 0 without a dead-letter policy, as the service has it."""
        return entry.failures + 1 if self.config.HasField("dead_letter_policy") else 0

    def _done(self, entries: list[Entry]) -> None:
        store = self._runtime.store
        messages = [entry.message for entry in entries]
        if self.config.retain_acked_messages:
            self.retained.update((message.seq, message) for message in messages)
            store.hold([(self.uid, message.seq, 0, 1) for message in messages])
        else:
            store.release([(self.uid, message.seq) for message in messages])
            self._runtime.drop(messages)

    def _failed(self, entry: Entry) -> bool:
        if not self.config.HasField("dead_letter_policy"):
            return False
        policy = self.config.dead_letter_policy
        if entry.failures >= policy.max_delivery_attempts and self._dead_letter(self, entry):
            return True
        self._runtime.store.hold([(self.uid, entry.message.seq, entry.failures, 0)])
        return False

    # Retention and seeking

    def expire(self, before: float) -> None:
        """Let go of messages published before `before`, acknowledged or not."""
        old: list[Entry] = []
        for entry in self.queue.entries.values():
            if entry.message.published >= before:
                break
            old.append(entry)
        for entry in old:
            self.queue.discard(entry)
        self._release([entry.message for entry in old])
        self.forget_retained(before)

    def forget_retained(self, before: float) -> None:
        """Let go of acknowledged messages published before `before`."""
        old = [message for message in self.retained.values() if message.published < before]
        for message in old:
            del self.retained[message.seq]
        self._release(old)

    def rebuild(self, wanted: dict[int, Message]) -> None:
        """Make exactly `wanted` the unacknowledged messages; leases end, the others count as acknowledged."""
        acknowledged = [entry for seq, entry in self.queue.entries.items() if seq not in wanted]
        failures = {seq: entry.failures for seq, entry in self.queue.entries.items()}
        for entry in list(self.queue.entries.values()):
            self.queue.discard(entry)
            if self.outlet is not None:
                self.outlet.expired(entry)
        self._done(acknowledged)
        new = [message for seq, message in wanted.items() if seq not in failures and seq not in self.retained]
        for message in new:
            message.holders += 1
        for seq in sorted(wanted):
            self.retained.pop(seq, None)
            self.queue.add(wanted[seq], failures.get(seq, 0))
        self._runtime.store.hold([(self.uid, seq, failures.get(seq, 0), 0) for seq in wanted])
        self.queue.notify()

    def clear(self) -> None:
        """Let go of everything held."""
        messages = [entry.message for entry in self.queue.entries.values()] + list(self.retained.values())
        for entry in list(self.queue.entries.values()):
            self.queue.discard(entry)
        self.retained.clear()
        self._runtime.store.release_all(self.uid)
        self._runtime.drop(messages)

    def _release(self, messages: list[Message]) -> None:
        self._runtime.store.release([(self.uid, message.seq) for message in messages])
        self._runtime.drop(messages)

    # Time

    def arm(self) -> None:
        """See that `tick` runs when the next deadline passes."""
        due = self.queue.due()
        if due is None or due >= self._timer_due or self.closed:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer_due = due
        delay = max(0.0, due - self._runtime.clock.now())
        self._timer = asyncio.get_running_loop().call_later(delay, self.tick)

    def tick(self) -> None:
        """Let deadlines that are now past take effect."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer, self._timer_due = None, float("inf")
        self.queue.tick()
        self.arm()

    def close(self) -> None:
        """The subscription is gone: end its streams, pulls, pushes and timer."""
        self.closed = True
        if self._timer is not None:
            self._timer.cancel()
        if self.outlet is not None:
            self.outlet.close()
            self.outlet = None
        self.queue.notify()


def seconds_of(duration: Any) -> float:
    """A protobuf Duration in seconds."""
    return float(duration.seconds) + float(duration.nanos) / 1e9
