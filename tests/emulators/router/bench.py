"""A router process, and what a test does to it: push, ask, order faults, read what the functions recorded."""

import base64
import itertools
import json
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import requests

from tests.emulators.launch import Emulator

PROJECT = "sample-project"
_numbers = itertools.count(1)


class Bench:
    """One router; `record` holds a line for every event that a function of the sample saw."""

    def __init__(self, dist: Path, repo: Path, folder: Path, **variables: str) -> None:
        self.data = folder / "data"
        self._record = folder / "record.jsonl"
        self._router = Emulator(
            "router",
            folder / "errors",
            self.data,
            0,
            GOOGLE_CLOUD_PROJECT=PROJECT,
            DROPFORGE_DIST=str(dist),
            DROPFORGE_FLOW=str(repo / "functions" / "flow.yaml"),
            DROPFORGE_RECORD=str(self._record),
            **variables,
        )

    def __enter__(self) -> Self:
        self._router.__enter__()
        self.url, self.kill, self.control = self._router.url, self._router.kill, self._router.control
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._router.__exit__(kind, error, trace)

    def push(self, function: str, topic: str, order: str, attempt: int = 1) -> tuple[str, int]:
        """Push one message as Pub/Sub does; returns its id and the status of the answer."""
        message_id = f"message-{next(_numbers)}"
        message = {
            "data": base64.b64encode(order.encode()).decode(),
            "messageId": message_id,
            "message_id": message_id,
            "publishTime": "2026-01-31T12:00:00.5Z",
            "publish_time": "2026-01-31T12:00:00.5Z",
        }
        subscription = f"projects/{PROJECT}/subscriptions/eventarc-{function}-{topic}-sub"
        body = {"message": message, "subscription": subscription, "deliveryAttempt": attempt}
        return message_id, requests.post(f"{self.url}/_push/{function}", json=body, timeout=30).status_code

    def seen(self, message_id: str) -> list[dict[str, Any]]:
        """What the functions recorded of one event, in the order of its arrivals."""
        return [event for event in self._events() if event["id"] == message_id]

    def recorded(self, function: str) -> list[dict[str, Any]]:
        """What one function recorded."""
        return [event for event in self._events() if event["function"] == function]

    def _events(self) -> list[dict[str, Any]]:
        lines = self._record.read_text().splitlines() if self._record.exists() else []
        return [json.loads(line) for line in lines]

    def function(self, name: str) -> dict[str, Any]:
        """The state of one function, by the control plane."""
        told: dict[str, Any] = self.control("GET", "/functions").json()["functions"][name]
        return told

    def fault(self, function: str, action: str, **more: float) -> str:
        """Order a fault on the next delivery to `function`; returns its id."""
        body = {"operation": f"router.deliver.{function}", "action": action, **more}
        return str(self.control("POST", "/faults", body).json()["id"])

    def consumed(self, fault: str) -> int:
        """How often a fault has struck."""
        return int(self.control("GET", f"/faults/{fault}").json()["consumed"])

    def advance(self, seconds: float) -> None:
        """Move the router's clock."""
        self.control("POST", "/clock", {"advance_seconds": seconds}).raise_for_status()
