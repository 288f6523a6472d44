"""What may be delivered next: messages in line, ordering keys in line, and those whose back-off has not passed."""

import heapq
from collections import deque
from itertools import count

from emulators.clock import Clock
from emulators.pubsub.entry import Consumer, Entry, Lane, Place


class Line:
    """The messages of one subscription that are not out; a key stands in line as a whole, in its `Lane`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lanes: dict[str, Lane] = {}
        self._ready: deque[Entry | Lane] = deque()
        self._waiting: list[tuple[float, int, Entry | Lane]] = []
        self._turns = count()  # so that those of one moment keep their order

    def __len__(self) -> int:
        return len(self._ready)

    def add(self, entry: Entry, key: str) -> None:
        """Put a new message at the end, behind the others of its ordering key ("" for none)."""
        if not key:
            self._ready.append(entry)
            return
        lane = self._lanes.get(key)
        if lane is None:
            lane = self._lanes[key] = Lane(key)
        entry.lane = lane
        lane.unsent.append(entry)
        self._offer(lane)

    def next_for(self, consumer: Consumer) -> Entry | None:
        """Take out the next message that may go to `consumer` now."""
        for line in (consumer.own, self._ready):
            while line:
                item = line.popleft()
                if isinstance(item, Entry):
                    if item.place is Place.READY:
                        return item
                    continue
                item.queued = False
                entry = None
                if item.not_before <= self._clock.now() and item.may_give(consumer):
                    entry = item.give(consumer)
                self._offer(item)
                if entry is not None:
                    return entry
        return None

    def put_back(self, entry: Entry) -> None:
        """Undo `next_for`."""
        if entry.lane is None:
            self._ready.appendleft(entry)
        else:
            entry.lane.rewind(entry)
            self._offer(entry.lane)

    def again(self, entry: Entry, not_before: float) -> None:
        """Put a message without a key in line once more, from `not_before` on."""
        if not_before <= self._clock.now():
            entry.place = Place.READY
            self._ready.append(entry)
        else:
            entry.place = Place.WAITING
            heapq.heappush(self._waiting, (not_before, next(self._turns), entry))

    def changed(self, lane: Lane) -> None:
        """Something of a key was acknowledged, failed or removed: the next of it may go, or the key is forgotten."""
        if lane.unsent:
            self._offer(lane)
        elif not lane.sent:
            self._lanes.pop(lane.key, None)

    def give_back(self, consumer: Consumer) -> None:
        """The keys that only this consumer could continue are open to others once nothing of them is out."""
        while consumer.own:
            lane = consumer.own.popleft()
            lane.queued = False
            self._offer(lane)

    def due(self) -> float | None:
        """When the next back-off ends, in seconds since the epoch; None when nothing waits."""
        return self._waiting[0][0] if self._waiting else None

    def tick(self) -> bool:
        """Put in line what has waited long enough; whether there was any."""
        now = self._clock.now()
        moved = False
        while self._waiting and self._waiting[0][0] <= now:
            item = heapq.heappop(self._waiting)[2]
            moved = True
            if isinstance(item, Lane):
                self._offer(item)
            elif item.place is Place.WAITING:
                item.place = Place.READY
                self._ready.append(item)
        return moved

    def _offer(self, lane: Lane) -> None:
        """Put a key in line for those who may have its next message, once its back-off has passed."""
        if lane.queued or not lane.unsent:
            return
        if lane.not_before > self._clock.now():
            heapq.heappush(self._waiting, (lane.not_before, next(self._turns), lane))
        elif not lane.sent:
            lane.queued = True
            self._ready.append(lane)
        elif lane.owner is not None and not lane.owner.one_per_key and not lane.owner.gone:
            lane.queued = True
            lane.owner.own.append(lane)
