"""A subscription's queue under any interleaving: nothing is lost or stuck, and keys stay in order.

The one part that is tested without the client, because the interleavings that matter are too rare over a wire.
"""

from collections import defaultdict
from typing import Any

from google.pubsub_v1 import types
from hypothesis import given, settings
from hypothesis import strategies as st

from emulators.clock import Clock
from emulators.faults import Faults
from emulators.pubsub.delivery import Queue, Rules
from emulators.pubsub.entry import Consumer, Delivery, Entry
from emulators.pubsub.message import Message

KEYS = ("", "EWR", "JFK")
CONSUMERS = 3
PubsubMessage = types.PubsubMessage.pb()

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.integers(0, len(KEYS) - 1)),
        st.tuples(st.just("take"), st.integers(0, CONSUMERS - 1)),
        st.tuples(st.just("ack"), st.integers(0, 50)),
        st.tuples(st.just("nack"), st.integers(0, 50)),
        st.tuples(st.just("pass time"), st.integers(1, 30)),
        st.tuples(st.just("leave"), st.integers(0, CONSUMERS - 1)),
    ),
    max_size=80,
)


class Bank:
    """A queue, consumers that come and go, and what became of every message."""

    def __init__(self, backoff: tuple[float, float] | None, exactly_once: bool) -> None:
        self.clock = Clock()
        self.done: list[int] = []
        rules = Rules(exactly_once, True, backoff)
        self.queue = Queue(7, self.clock, Faults(), rules, self._note_done, lambda _: False)
        self.consumers = [self._consumer(number) for number in range(CONSUMERS)]
        self.out: list[Delivery] = []
        self.added = 0

    def _consumer(self, number: int) -> Consumer:
        consumer = Consumer(
            wake=lambda: None, deadline_seconds=10, max_messages=(0, 2, 3)[number], one_per_key=number == 1
        )
        self.queue.consumers.append(consumer)
        return consumer

    def _note_done(self, entries: list[Entry]) -> None:
        self.done += [entry.message.seq for entry in entries]

    def step(self, action: str, number: int) -> None:
        """Do one of the steps; those that have nothing to act on do nothing."""
        if action == "add":
            self.added += 1
            self.queue.add(Message(self.added, "t", 0.0, PubsubMessage(data=b"x", ordering_key=KEYS[number])))
        elif action == "take":
            self.out += self.queue.take(self.consumers[number], 2)
        elif action == "pass time":
            self.clock.advance(number)
            self.queue.tick()
        elif action == "leave":
            self.queue.leave(self.consumers[number])
            self.consumers[number] = self._consumer(number)
        elif self.out:
            delivery = self.out.pop(number % len(self.out))
            if action == "ack":
                self.queue.acknowledge([delivery.ack_id])
            else:
                self.queue.modify_deadline([delivery.ack_id], 0)

    def drain(self) -> dict[str, list[int]]:
        """Let all leases end, then take and acknowledge everything; returns what came, by key."""
        for consumer in list(self.queue.consumers):
            self.queue.leave(consumer)
        last: Any = self._consumer(0)
        came: dict[str, list[int]] = defaultdict(list)
        for _ in range(200):
            self.clock.advance(100)
            self.queue.tick()
            for delivery in self.queue.take(last, 100):
                came[delivery.entry.message.body.ordering_key].append(delivery.entry.message.seq)
                self.queue.acknowledge([delivery.ack_id])
        return came


@settings(max_examples=300, deadline=None, derandomize=True)
@given(steps=STEPS, backoff=st.sampled_from([None, (5.0, 50.0)]), exactly_once=st.booleans())
def test_every_message_is_acknowledged_once_and_keys_keep_their_order(
    steps: list[tuple[str, int]], backoff: tuple[float, float] | None, exactly_once: bool
) -> None:
    """Whatever happened before, what is left comes to a new consumer, each key in the order of publishing."""
    bank = Bank(backoff, exactly_once)
    for action, number in steps:
        bank.step(action, number)
    came = bank.drain()
    assert sorted(bank.done) == list(range(1, bank.added + 1))
    assert all(came[key] == sorted(came[key]) for key in KEYS[1:])
    assert not bank.queue.entries
    assert all(consumer.held == 0 for consumer in bank.consumers)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(steps=STEPS)
def test_deliveries_of_a_key_only_go_back_to_what_failed(steps: list[tuple[str, int]]) -> None:
    """Of one key, each delivery is the one after the last, or an earlier one again: nothing is skipped."""
    bank = Bank(None, False)
    last: dict[str, int] = {}
    published: dict[str, list[int]] = defaultdict(list)
    for action, number in steps:
        known = len(bank.out)
        bank.step(action, number)
        if action == "add":
            published[KEYS[number]].append(bank.added)
        for delivery in bank.out[known:] if action == "take" else []:
            key, seq = delivery.entry.message.body.ordering_key, delivery.entry.message.seq
            at = published[key].index(seq)
            assert not key or at <= last.get(key, -1) + 1
            last[key] = at
