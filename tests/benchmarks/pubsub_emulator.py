"""Latency, throughput, start and memory of the Pub/Sub emulator, beside Google's where it is installed.

`PYTHONPATH=.:shared python tests/benchmarks/pubsub_emulator.py [--messages N] [--rounds N]`

The official client on one machine, so its own work is part of every figure; publisher and subscriber are processes of
their own. Rounds alternate between the emulators, and each figure is the median of its rounds; start and peak of memory
(Linux) are of the one process that served them all.
"""

import argparse
import contextlib
import importlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from threading import Event
from typing import Any, NamedTuple
from unittest.mock import patch
from uuid import uuid4

from tests.emulators.launch import Emulator
from tests.emulators.pubsub.reference import google_command

PROJECT = "bench-project"
BYTES = 1_000
LATENCY_MESSAGES = 200
_PATIENCE = 30  # seconds that a round waits for the last message; what came until then counts


class Running(NamedTuple):
    """An emulator at work."""

    host: str
    pid: int
    start_seconds: float

    def about(self) -> dict[str, float]:
        """What it took to start, and the most memory that it ever held (VmHWM, proc(5))."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        (peak,) = [line for line in status.splitlines() if line.startswith("VmHWM")]
        return {"start_s": round(self.start_seconds, 2), "peak_memory_mb": round(int(peak.split()[1]) / 1_000)}


@contextlib.contextmanager
def ours(data: Path | None) -> Iterator[Running]:
    """Our emulator; with `data`, durable."""
    started = time.perf_counter()
    with (
        tempfile.TemporaryDirectory() as folder,
        Emulator("pubsub", errors=Path(folder) / "errors.txt", data=data) as running,
    ):
        yield Running(running.url, running.process.pid, time.perf_counter() - started)


@contextlib.contextmanager
def googles(command: list[str]) -> Iterator[Running]:
    """Google's emulator."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    started = time.perf_counter()
    process = subprocess.Popen(
        [*command, "--host=127.0.0.1", f"--port={port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                break
            time.sleep(0.02)
        yield Running(f"127.0.0.1:{port}", process.pid, time.perf_counter() - started)
    finally:
        process.kill()
        process.wait()


def measure(host: str, messages: int) -> dict[str, float]:
    """One round: the median latency in ms, messages a second published and received, and the share that arrived."""
    from google.cloud.pubsub_v1 import PublisherClient, SubscriberClient
    from google.cloud.pubsub_v1.types import BatchSettings

    with patch.dict(os.environ, {"PUBSUB_EMULATOR_HOST": host}):
        publisher = PublisherClient(batch_settings=BatchSettings(max_latency=0.0))
        subscriber = SubscriberClient()
    topic, name = (f"projects/{PROJECT}/{kind}/b-{uuid4().hex}" for kind in ("topics", "subscriptions"))
    publisher.create_topic(name=topic)
    subscriber.create_subscription(name=name, topic=topic)
    try:
        latency = _latency(publisher, subscriber, topic, name)
        incoming, through, arrived = _throughput(host, subscriber, topic, name, messages)
    finally:
        publisher.stop()
        publisher.transport.close()
        subscriber.close()
    return {"latency_ms": latency, "in_per_second": incoming, "through_per_second": through, "arrived": arrived}


def _latency(publisher: Any, subscriber: Any, topic: str, name: str) -> float:
    """Milliseconds from `publish` to the callback, one message at a time, at the median."""
    seconds: list[float] = []
    arrived = Event()

    def callback(message: Any) -> None:
        seconds.append(time.perf_counter() - float(message.attributes["at"]))
        message.ack()
        arrived.set()

    future = subscriber.subscribe(name, callback)
    for _ in range(LATENCY_MESSAGES):
        arrived.clear()
        publisher.publish(topic, b"x" * BYTES, at=str(time.perf_counter()))
        arrived.wait(10)
        time.sleep(0.005)
    future.cancel()
    future.result()
    return median(seconds) * 1_000


def _throughput(host: str, subscriber: Any, topic: str, name: str, messages: int) -> tuple[float, float, float]:
    """Messages a second that a publishing process gets rid of, and that arrive in callbacks of this one meanwhile.

    The third figure is the share that arrived before the wait was over; the second counts until the last of them.
    """
    received: dict[str, float] = {}
    done = Event()

    def callback(message: Any) -> None:
        message.ack()
        received[message.message_id] = time.perf_counter()
        if len(received) == messages:
            done.set()

    future = subscriber.subscribe(name, callback)
    with get_context("spawn").Pool(1) as pool:
        pool.apply(_warm)
        started = time.perf_counter()
        publishing = pool.apply_async(_publish, (host, topic, messages))
        done.wait(_PATIENCE)
        through = len(received) / (max(received.values(), default=time.perf_counter()) - started)
        incoming = messages / publishing.get()
    future.cancel()
    future.result()
    return incoming, through, len(received) / messages


def _warm() -> None:
    """Import what the publishing process needs before the clock runs."""
    importlib.import_module("google.cloud.pubsub_v1")


def _publish(host: str, topic: str, messages: int) -> float:
    """Publish, and return the seconds it took until every id was back."""
    from google.cloud.pubsub_v1 import PublisherClient

    with patch.dict(os.environ, {"PUBSUB_EMULATOR_HOST": host}):
        publisher = PublisherClient()
    started = time.perf_counter()
    futures = [publisher.publish(topic, b"x" * BYTES) for _ in range(messages)]
    for future in futures:
        future.result(timeout=120)
    seconds = time.perf_counter() - started
    publisher.stop()
    publisher.transport.close()
    return seconds


def main() -> None:
    """Measure, and print one JSON line an emulator and one with the ratios."""
    parser = argparse.ArgumentParser(description="Benchmark the Pub/Sub emulator.")
    parser.add_argument("--messages", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    google = google_command()
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        running = {"memory": stack.enter_context(ours(None)), "durable": stack.enter_context(ours(folder / "data"))}
        if google is not None:
            running["google"] = stack.enter_context(googles(google))
        rounds: dict[str, list[dict[str, float]]] = {name: [] for name in running}
        for _ in range(given.rounds):
            for name, emulator in running.items():
                rounds[name].append(measure(emulator.host, given.messages))
                print(name, rounds[name][-1], file=sys.stderr)
        about = {name: emulator.about() for name, emulator in running.items()}
    medians = {n: {k: round(median(r[k] for r in of), 2) for k in of[0]} | about[n] for n, of in rounds.items()}
    for name, figures in medians.items():
        print(json.dumps({"emulator": name, **figures}))
    if google is not None:
        ratios = {k: round(medians["durable"][k] / medians["google"][k], 2) for k in medians["google"]}
        print(json.dumps({"ratio": "durable to google", **ratios}))
    else:
        print("Google's Pub/Sub emulator is not installed; no ratios.", file=sys.stderr)


if __name__ == "__main__":
    main()
