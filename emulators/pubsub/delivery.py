"""Who gets which message of a subscription, and when it comes again: leases, ack deadlines, back-off."""

import heapq
import time
from collections.abc import Callable, Iterable
from itertools import count
from typing import Any, NamedTuple

from emulators.clock import Clock
from emulators.faults import Faults
from emulators.pubsub.entry import Consumer, Delivery, Entry, Place
from emulators.pubsub.line import Line
from emulators.pubsub.message import Message

DELIVER = "pubsub.deliver"
BATCH_BYTES = 8_000_000  # one answer with messages stays below this, unless one message alone is larger
_REORDERED_SECONDS = 1.0  # a delivery ordered to come after the next one comes alone if no next one does

_leases = count(time.time_ns() // 1000)  # so that no id of an earlier process is given again


class Rules(NamedTuple):
    """What a subscription's configuration says of redelivery. Seconds; `backoff` None redelivers at once."""

    exactly_once: bool
    ordered: bool
    backoff: tuple[float, float] | None  # minimum, maximum


class Queue:
    """The unacknowledged messages of one subscription.

    `done` is called with entries that were acknowledged, `failed` with an entry that was nacked or expired: it returns
    True when it took the entry away (to the dead-letter topic).
    """

    def __init__(
        self,
        uid: int,
        clock: Clock,
        faults: Faults,
        rules: Rules,
        done: Callable[[list[Entry]], None],
        failed: Callable[[Entry], bool],
    ) -> None:
        self.uid = uid
        self.rules = rules
        self.entries: dict[int, Entry] = {}
        self.consumers: list[Consumer] = []
        self._clock = clock
        self._faults = faults
        self._done = done
        self._failed = failed
        self._line = Line(clock)
        self._deadlines: list[tuple[float, int, Entry]] = []
        self._postponed: Entry | None = None

    # Coming in

    def add(self, message: Message, failures: int = 0) -> Entry:
        """Put a message in line; the caller then calls `notify`."""
        key = message.body.ordering_key if self.rules.ordered else ""
        entry = Entry(message, failures)
        self.entries[message.seq] = entry
        self._line.add(entry, key)
        return entry

    def notify(self) -> None:
        """Tell the consumers, each in turn first, that there may be something."""
        if self.consumers:
            self.consumers.append(self.consumers.pop(0))
            for consumer in list(self.consumers):
                consumer.wake()

    # Going out

    def take(self, consumer: Consumer, limit: int) -> list[Delivery]:
        """Lease up to `limit` messages to `consumer`, its share when several wait."""
        taken: list[Delivery] = []
        size = 0
        if len(self.consumers) > 1:
            limit = min(limit, max(1, len(self._line) // len(self.consumers)))
        while len(taken) < limit and consumer.has_room():
            entry = self._line.next_for(consumer)
            if entry is None:
                break
            size += entry.message.size
            if size > BATCH_BYTES and taken:
                self._line.put_back(entry)
                break
            fault = self._faults.take(DELIVER)
            if fault is None:
                taken.append(self._lease(entry, consumer))
            else:
                taken.extend(self._faulty(entry, consumer, fault))
            if self._postponed is not None and self._postponed is not entry and taken:
                postponed, self._postponed = self._postponed, None
                if postponed.place is Place.WAITING:
                    taken.append(self._lease(postponed, consumer))
        return taken

    def _lease(self, entry: Entry, consumer: Consumer) -> Delivery:
        if entry.place is Place.LEASED:  # a second delivery, by a fault
            self._free(entry)
        entry.lease = next(_leases)
        entry.place = Place.LEASED
        entry.consumer = consumer
        entry.deadline = self._clock.now() + consumer.deadline_seconds
        consumer.held += 1
        consumer.held_bytes += entry.message.size
        heapq.heappush(self._deadlines, (entry.deadline, entry.lease, entry))
        return Delivery(f"{self.uid:x}-{entry.message.seq:x}-{entry.lease:x}", entry)

    def _faulty(self, entry: Entry, consumer: Consumer, fault: Any) -> list[Delivery]:
        """What goes out of a delivery that suffers `fault`; keys keep their order, so they are never held back."""
        delivery = self._lease(entry, consumer)
        if fault.action == "drop":
            return []
        if fault.action == "double":
            return [delivery, self._lease(entry, consumer)]
        if fault.action in ("delay", "reorder") and entry.lane is None:
            self._free(entry)
            seconds = fault.delay_seconds if fault.action == "delay" else _REORDERED_SECONDS
            self._line.again(entry, self._clock.now() + seconds)
            if fault.action == "reorder":
                self._postponed = entry
            return []
        if fault.action == "error":
            self._fail([entry])
            return []
        return [delivery]

    # Coming back

    def acknowledge(self, ack_ids: Iterable[str]) -> list[str]:
        """Acknowledge; returns the ids that no longer hold (never, unless delivery is exactly once: a late
        acknowledgement still counts while the message is there)."""
        invalid: list[str] = []
        done: list[Entry] = []
        for ack_id in ack_ids:
            entry, current = self._find(ack_id)
            if entry is not None and (current or not (self.rules.exactly_once or entry.lane)):
                self._ack(entry, done)
            elif self.rules.exactly_once:
                invalid.append(ack_id)
        if done:
            self._done(done)
            self._compact()
            self.notify()
        return invalid

    def modify_deadline(self, ack_ids: Iterable[str], seconds: float) -> list[str]:
        """Let the lease of each id end in `seconds`; 0 is a nack. Returns the ids that no longer hold."""
        invalid: list[str] = []
        nacked: list[Entry] = []
        until = self._clock.now() + seconds
        for ack_id in ack_ids:
            entry, current = self._find(ack_id)
            if entry is None or not current:
                if self.rules.exactly_once:
                    invalid.append(ack_id)
            elif seconds <= 0:
                nacked.append(entry)
            else:
                if until < entry.deadline:
                    heapq.heappush(self._deadlines, (until, entry.lease, entry))
                entry.deadline = until
        if nacked:
            self._fail(nacked)
            self.notify()
        return invalid

    def _find(self, ack_id: str) -> tuple[Entry | None, bool]:
        """The entry an id was given for, and whether the id is that of its running lease."""
        try:
            uid, seq, lease = (int(part, 16) for part in ack_id.split("-"))
        except ValueError:
            return None, False
        entry = self.entries.get(seq) if uid == self.uid else None
        return entry, entry is not None and entry.place is Place.LEASED and entry.lease == lease

    def _ack(self, entry: Entry, done: list[Entry]) -> None:
        if entry.place is Place.LEASED:
            self._free(entry)
        if entry.lane is None:
            self._gone(entry, done)
            return
        entry.place = Place.ACKED
        for finished in entry.lane.acknowledged():
            self._gone(finished, done)
        self._line.changed(entry.lane)

    def _gone(self, entry: Entry, done: list[Entry]) -> None:
        entry.place = Place.GONE
        del self.entries[entry.message.seq]
        done.append(entry)

    def _compact(self) -> None:
        """Forget the deadlines of acknowledged messages once they outnumber the others, instead of at their time."""
        if len(self._deadlines) > 10_000 + 4 * len(self.entries):
            running = (due for due in self._deadlines if due[2].place is Place.LEASED and due[2].lease == due[1])
            self._deadlines = list(running)
            heapq.heapify(self._deadlines)

    def _free(self, entry: Entry) -> None:
        """Take a leased entry off its consumer's account."""
        if entry.consumer is not None:
            entry.consumer.held -= 1
            entry.consumer.held_bytes -= entry.message.size
            entry.consumer = None

    def _fail(self, entries: Iterable[Entry]) -> None:
        """Nacked, or the deadline passed: in line again after the back-off, with all later ones of its key."""
        now = self._clock.now()
        for entry in entries:
            if entry.place is not Place.LEASED:
                continue  # already put back with an earlier one of its key
            entry.failures += 1
            self._free(entry)
            not_before = now + self._backoff(entry.failures)
            lane = entry.lane
            if lane is not None:
                for again in lane.rewind(entry):
                    if again.place is Place.LEASED:
                        self._free(again)
                    again.place = Place.READY
                lane.not_before = not_before
            if self._failed(entry):
                self.discard(entry)
            elif lane is None:
                self._line.again(entry, not_before)
            if lane is not None:
                self._line.changed(lane)

    def _backoff(self, failures: int) -> float:
        if self.rules.backoff is None:
            return 0.0
        minimum, maximum = self.rules.backoff
        return min(maximum, minimum * 2.0 ** min(failures - 1, 60))

    def leased(self) -> int:
        """How many messages are out."""
        return sum(entry.place is Place.LEASED for entry in self.entries.values())

    # Time, and the end

    def due(self) -> float | None:
        """When `tick` next has something to do, in seconds since the epoch; None when nothing waits."""
        times = (self._line.due(), self._deadlines[0][0] if self._deadlines else None)
        return min((time for time in times if time is not None), default=None)

    def tick(self) -> None:
        """Let back-offs and ack deadlines that are now past take effect."""
        now = self._clock.now()
        late: list[Entry] = []
        while self._deadlines and self._deadlines[0][0] <= now:
            _, lease, entry = heapq.heappop(self._deadlines)
            if entry.place is not Place.LEASED or entry.lease != lease:
                continue
            if entry.deadline > now:
                heapq.heappush(self._deadlines, (entry.deadline, lease, entry))
            else:
                late.append(entry)
        holders = [(entry.consumer, entry) for entry in late]
        self._fail(late)
        for consumer, entry in holders:
            if consumer is not None and consumer.expired is not None:
                consumer.expired(entry)
        awake = self._line.tick()
        if late or awake:
            self.notify()

    def leave(self, consumer: Consumer) -> None:
        """A consumer goes; what it holds stays leased until the deadline, as with the service."""
        if consumer in self.consumers:
            self.consumers.remove(consumer)
        consumer.gone = True
        self._line.give_back(consumer)

    def discard(self, entry: Entry) -> None:
        """Take a message out without acknowledging it; nothing is told."""
        if entry.place is Place.LEASED:
            self._free(entry)
        if entry.lane is not None:
            entry.lane.remove(entry)
            self._line.changed(entry.lane)
        entry.place = Place.GONE
        self.entries.pop(entry.message.seq, None)
