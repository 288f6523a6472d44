"""What the tests work with: an emulator's clients, names nobody else uses, and an endpoint that pushes go to."""

import os
import queue
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from unittest.mock import patch
from uuid import uuid4

from google.api_core.exceptions import DeadlineExceeded, NotFound
from google.cloud.pubsub_v1 import PublisherClient, SubscriberClient
from google.cloud.pubsub_v1.types import PublisherOptions

PROJECT = "bench-project"
PATIENCE = 15.0  # seconds until a test gives up on something that should have come


class Bench:
    """The official clients of the emulator at `host`, and short ways to what every test needs.

    A pull gives up after `patience` seconds. Without a host, the clients are those of the real service in `project`,
    and `close` deletes what was made there.
    """

    def __init__(self, host: str = "", patience: float = PATIENCE, project: str = PROJECT) -> None:
        self.host = host
        self.patience = patience
        self.project = project
        self._made: list[str] = []
        with patch.dict(os.environ, {"PUBSUB_EMULATOR_HOST": host} if host else {}):
            self.publisher = PublisherClient()
            self.ordered = PublisherClient(publisher_options=PublisherOptions(enable_message_ordering=True))
            self.subscriber = SubscriberClient()

    def close(self) -> None:
        """Let go of the channels, and of the real service's resources."""
        for name in reversed([] if self.host else self._made):
            with suppress(NotFound):  # a test may have deleted it itself
                if "/topics/" in name:
                    self.publisher.delete_topic(topic=name)
                else:
                    self.subscriber.delete_subscription(subscription=name)
        for publisher in (self.publisher, self.ordered):
            publisher.stop()
            publisher.transport.close()
        self.subscriber.close()

    def topic(self, **config: Any) -> str:
        """A new topic's name."""
        name = f"projects/{self.project}/topics/t-{uuid4().hex}"
        self.publisher.create_topic(request={"name": name, **config})
        self._made.append(name)
        return name

    def subscription(self, topic: str, **config: Any) -> str:
        """A new subscription's name."""
        name = f"projects/{self.project}/subscriptions/s-{uuid4().hex}"
        self.subscriber.create_subscription(request={"name": name, "topic": topic, **config})
        self._made.append(name)
        return name

    def pair(self, **config: Any) -> tuple[str, str]:
        """A new topic and a subscription to it."""
        topic = self.topic()
        return topic, self.subscription(topic, **config)

    def publish(self, topic: str, *data: bytes, key: str = "", **attributes: str) -> list[str]:
        """Publish in this order; returns the ids."""
        client = self.ordered if key else self.publisher
        futures = [client.publish(topic, each, ordering_key=key, **attributes) for each in data]
        return [future.result(timeout=PATIENCE) for future in futures]

    def pull(self, subscription: str, count: int = 1) -> list[Any]:
        """At least `count` received messages, in as many pulls as it takes, or as many as come in time."""
        received: list[Any] = []
        until = time.monotonic() + self.patience
        while len(received) < count and time.monotonic() < until:
            try:
                answer = self.subscriber.pull(
                    subscription=subscription, max_messages=count - len(received), timeout=5, retry=None
                )
            except DeadlineExceeded:
                continue
            received.extend(answer.received_messages)
        return received

    def empty(self, subscription: str) -> bool:
        """Whether there is nothing to pull right now."""
        return not self.now(subscription)

    def now(self, subscription: str) -> list[Any]:
        """Up to 1,000 messages that can be pulled without waiting."""
        request = {"subscription": subscription, "max_messages": 1_000, "return_immediately": True}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # the flag is, and there is no other way to ask at once
            return list(self.subscriber.pull(request=request).received_messages)

    def ack(self, subscription: str, received: list[Any]) -> None:
        """Acknowledge."""
        self.subscriber.acknowledge(subscription=subscription, ack_ids=[each.ack_id for each in received])

    def modify(self, subscription: str, received: list[Any], seconds: int) -> None:
        """Change the ack deadline; 0 is a nack."""
        ids = [each.ack_id for each in received]
        self.subscriber.modify_ack_deadline(subscription=subscription, ack_ids=ids, ack_deadline_seconds=seconds)

    @contextmanager
    def stream(
        self, subscription: str, handle: Callable[[Any], None] = lambda message: message.ack(), **options: Any
    ) -> Iterator["queue.Queue[Any]"]:
        """A streaming pull; every message goes to `handle` and then into the queue."""
        got: queue.Queue[Any] = queue.Queue()

        def callback(message: Any) -> None:
            handle(message)
            got.put(message)

        future = self.subscriber.subscribe(subscription, callback, **options)
        try:
            yield got
        finally:
            future.cancel()
            future.result(timeout=PATIENCE)


def take(got: "queue.Queue[Any]", count: int) -> list[Any]:
    """The next `count` things from a queue; raises queue.Empty when they do not come."""
    return [got.get(timeout=PATIENCE) for _ in range(count)]


@dataclass
class Push:
    """One request that an endpoint received."""

    headers: dict[str, str]
    body: bytes


@dataclass
class Endpoint:
    """A local HTTP server that keeps what is pushed to it and answers with `statuses` in turn, then with 204.

    `hold` is waited for before an answer; `most_at_once` is how many requests were ever under way together.
    """

    statuses: list[int] = field(default_factory=list)
    hold: threading.Event | None = None
    got: "queue.Queue[Push]" = field(default_factory=queue.Queue)
    most_at_once: int = 0
    url: str = ""
    _under_way: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def running(self, port: int = 0) -> Iterator["Endpoint"]:
        """Answer while the `with` block lasts."""
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                status = endpoint.enter(Push({k.lower(): v for k, v in self.headers.items()}, body))
                self.send_response(status)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        server.daemon_threads = True
        self.url = f"http://127.0.0.1:{server.server_port}/push"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield self
        finally:
            self.release()
            server.shutdown()
            server.server_close()
            thread.join()

    def release(self) -> None:
        """Answer what is held, and all that comes, without waiting."""
        if self.hold is not None:
            self.hold.set()

    def enter(self, push: Push) -> int:
        """Take one request; returns the status to answer."""
        with self._lock:
            self._under_way += 1
            self.most_at_once = max(self.most_at_once, self._under_way)
            status = self.statuses.pop(0) if self.statuses else 204
        self.got.put(push)
        hold = self.hold
        if hold is not None:
            hold.wait(PATIENCE)
        with self._lock:
            self._under_way -= 1
        return status
