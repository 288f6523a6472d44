"""`kill -9` at any moment: what publish returned an id for is there, and nothing acknowledged comes again."""

import contextlib
import random
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from google.api_core.exceptions import GoogleAPICallError, RetryError

from tests.emulators.launch import Emulator
from tests.emulators.pubsub.bench import PATIENCE, Bench, Endpoint, take

QUICK, ALL = 10, 200


class Restarting:
    """One emulator after the other over the same folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running: Emulator | None = None
        self._bench: Bench | None = None

    def start(self) -> Bench:
        """Clients of the next process."""
        self._running = Emulator("pubsub", errors=self._folder / "errors.txt", data=self._folder / "data").__enter__()
        self._bench = Bench(self._running.url)
        return self._bench

    @property
    def emulator(self) -> Emulator:
        """The process that runs now."""
        assert self._running is not None
        return self._running

    def kill(self) -> None:
        """The end of it, as a power cut would; no harm when it is over already."""
        if self._running is not None:
            self._running.kill()
        if self._bench is not None:
            self._bench.close()
        self._running = self._bench = None


@pytest.fixture
def restarting(tmp_path: Path) -> Iterator[Restarting]:
    """A folder that emulators follow each other over."""
    made = Restarting(tmp_path)
    yield made
    made.kill()


def test_resources_and_backlog_outlive_a_kill(restarting: Restarting) -> None:
    """Also what was leased: it comes again; what was acknowledged does not; retained messages can be sought."""
    bench = restarting.start()
    topic, name = bench.pair(retain_acked_messages=True, labels={"kept": "yes"})
    bench.publish(topic, b"done", b"leased", b"waiting")
    received = bench.pull(name, 2)
    bench.ack(name, received[:1])
    restarting.kill()

    bench = restarting.start()
    assert dict(bench.subscriber.get_subscription(subscription=name).labels) == {"kept": "yes"}
    assert {each.message.data for each in bench.pull(name, 2)} == {b"leased", b"waiting"}
    assert bench.empty(name)
    bench.subscriber.seek(request={"subscription": name, "time": {"seconds": 1_000_000_000}})
    assert len(bench.pull(name, 3)) == 3


def test_a_folder_in_use_is_refused(restarting: Restarting, tmp_path: Path) -> None:
    """Two processes over one folder would each deliver what the other acknowledged."""
    restarting.start()
    command = [sys.executable, "-m", "emulators", "pubsub", "--data", str(tmp_path / "data")]
    second = subprocess.run(command, cwd=Path(__file__).parents[3], capture_output=True, timeout=PATIENCE, check=False)
    assert second.returncode == 1
    assert b"another Pub/Sub emulator" in second.stderr


def test_pushes_go_on_after_a_kill(restarting: Restarting) -> None:
    """A message whose push was under way when the emulator died is pushed again, to the endpoint then configured."""
    with Endpoint(hold=threading.Event()).running() as before:
        bench = restarting.start()
        topic, name = bench.pair(push_config={"push_endpoint": before.url})
        bench.publish(topic, b"data")
        take(before.got, 1)
        restarting.kill()
    with Endpoint().running() as after:
        bench = restarting.start()
        changed = {"name": name, "topic": topic, "push_config": {"push_endpoint": after.url}}
        bench.subscriber.update_subscription(
            request={"subscription": changed, "update_mask": {"paths": ["push_config"]}}
        )
        take(after.got, 1)


def test_a_delivery_attempt_is_remembered(restarting: Restarting) -> None:
    """Dead-lettering counts across restarts, else a message that kills the machine would come for ever."""
    bench = restarting.start()
    policy = {"dead_letter_topic": bench.topic(), "max_delivery_attempts": 5}
    topic, name = bench.pair(dead_letter_policy=policy)
    bench.publish(topic, b"data")
    bench.modify(name, bench.pull(name), 0)
    bench.publish(topic, b"commits what went before")
    restarting.kill()
    bench = restarting.start()
    attempts = {each.message.data: each.delivery_attempt for each in bench.pull(name, 2)}
    assert attempts[b"data"] == 2


@pytest.mark.parametrize("action", ["crash_before", "crash_after"])
def test_a_crash_around_the_write_loses_nothing_acknowledged(restarting: Restarting, action: str) -> None:
    """Before it, nothing is stored; after it, the message is, though its publisher never heard."""
    bench = restarting.start()
    topic, name = bench.pair()
    fault = {"operation": "google.pubsub.v1.Publisher.Publish", "action": action}
    restarting.emulator.control("POST", "/faults", fault).raise_for_status()
    with pytest.raises((GoogleAPICallError, RetryError)):
        bench.publisher.publish(topic, b"data", timeout=1, retry=None).result(PATIENCE)
    assert restarting.emulator.process.wait(PATIENCE) == -9
    restarting.kill()
    bench = restarting.start()
    assert bench.empty(name) is (action == "crash_before")


def test_a_crash_can_wait_for_the_nth_publish(restarting: Restarting) -> None:
    """`after` counts those that go well; here the third is stored and nobody is told."""
    bench = restarting.start()
    topic, name = bench.pair()
    fault = {"operation": "google.pubsub.v1.Publisher.Publish", "action": "crash_after", "after": 2}
    restarting.emulator.control("POST", "/faults", fault).raise_for_status()
    for data in (b"one", b"two"):
        bench.publish(topic, data)
    with pytest.raises((GoogleAPICallError, RetryError)):
        bench.publisher.publish(topic, b"three", timeout=1, retry=None).result(PATIENCE)
    restarting.kill()
    bench = restarting.start()
    assert {each.message.data for each in bench.pull(name, 3)} == {b"one", b"two", b"three"}


@pytest.mark.parametrize("action", ["crash_before", "crash_after"])
def test_a_crash_around_an_acknowledgement_leaves_it_whole_or_absent(restarting: Restarting, action: str) -> None:
    """After the write it holds, though who sent it never heard; before it, the message comes again."""
    bench = restarting.start()
    topic, name = bench.pair()
    bench.publish(topic, b"one", b"two")
    received = bench.pull(name, 2)
    fault = {"operation": "google.pubsub.v1.Subscriber.Acknowledge", "action": action}
    restarting.emulator.control("POST", "/faults", fault).raise_for_status()
    with pytest.raises((GoogleAPICallError, RetryError)):
        ids = [each.ack_id for each in received]
        bench.subscriber.acknowledge(subscription=name, ack_ids=ids, timeout=1, retry=None)
    assert restarting.emulator.process.wait(PATIENCE) == -9
    restarting.kill()
    bench = restarting.start()
    assert len(bench.now(name)) == (2 if action == "crash_before" else 0)


class Ledger:
    """What clients know of every message, by id. `doubtful`: an acknowledgement was sent and never answered."""

    def __init__(self) -> None:
        self.published: set[str] = set()
        self.acknowledged: set[str] = set()
        self.doubtful: set[str] = set()
        self.again: set[str] = set()

    def receive(self, received: list[Any]) -> set[str]:
        """Note what came although its acknowledgement had been answered; returns the ids."""
        ids = {each.message.message_id for each in received}
        self.again |= ids & self.acknowledged
        return ids

    def work(self, bench: Bench, topic: str, name: str) -> None:
        """Publish three and acknowledge up to two, over and over, until the emulator is gone."""
        options: dict[str, Any] = {"timeout": 1, "retry": None}
        with contextlib.suppress(GoogleAPICallError, RetryError):
            while True:
                futures = [bench.publisher.publish(topic, b"x" * 100, **options) for _ in range(3)]
                self.published |= {future.result(PATIENCE) for future in futures}
                received = list(bench.subscriber.pull(subscription=name, max_messages=2, **options).received_messages)
                ids = self.receive(received)
                self.doubtful |= ids
                ack_ids = [each.ack_id for each in received]
                bench.subscriber.acknowledge(subscription=name, ack_ids=ack_ids, **options)
                self.doubtful -= ids
                self.acknowledged |= ids

    def drain(self, bench: Bench, name: str) -> None:
        """Acknowledge all that is left."""
        while received := bench.now(name):
            ids = self.receive(received)
            bench.ack(name, received)
            self.acknowledged |= ids


@pytest.mark.parametrize("kills", [QUICK, pytest.param(ALL, marks=[pytest.mark.heavy, pytest.mark.timeout(1800)])])
def test_nothing_acknowledged_is_lost_by_kills_at_random(restarting: Restarting, kills: int) -> None:
    """Publisher and consumer at work while the process dies again and again, at moments drawn with a fixed seed.

    Every message whose publish returned comes until it is acknowledged, and none whose acknowledgement returned comes
    again. An acknowledgement that was under way at the end of a process may hold or not, as the test before this shows.
    """
    moments = random.Random(3)
    ledger = Ledger()
    bench = restarting.start()
    topic, name = bench.pair()
    for _ in range(kills):
        killer = threading.Timer(moments.uniform(0.02, 0.3), restarting.emulator.kill)
        killer.start()
        ledger.work(bench, topic, name)
        killer.join()
        restarting.kill()
        bench = restarting.start()
    ledger.drain(bench, name)
    assert restarting.emulator.control("GET", "/health").json()["unacknowledged"] == 0
    assert len(ledger.published) > kills
    assert ledger.published <= ledger.acknowledged | ledger.doubtful
    assert ledger.again == set()
    print(f"{kills} kills, {len(ledger.published)} acknowledged messages, {len(ledger.acknowledged)} acknowledgements")
