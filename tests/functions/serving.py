"""Runs the model server's bundle as a process, as a container runs it."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from emulators.ports import free_port


class Server:
    """A running model server."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, log: Path) -> None:
        self.process = process
        self.url = f"http://127.0.0.1:{port}"
        self._log = log

    def predict(self, body: Any, **given: Any) -> requests.Response:
        """Ask it; `body` is sent as JSON unless it is bytes."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return requests.post(f"{self.url}/predict", data=content, timeout=20, **given)

    def lines(self) -> list[dict[str, Any]]:
        """What it logged."""
        return [json.loads(line) for line in self._log.read_text().splitlines()]


@contextmanager
def serving(bundle: Path, log: Path, **variables: str) -> Iterator[Server]:
    """The server while the block lasts; it answers its health route when the block begins.

    Raises:
        ChildProcessError: it ended instead; the message is its log.
    """
    port = free_port()
    told = {"AIP_HTTP_PORT": str(port), "AIP_PREDICT_ROUTE": "/predict", "AIP_HEALTH_ROUTE": "/healthz", **variables}
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-P", "main.py"], cwd=bundle, env=told | {"PATH": os.defpath}, stdout=output, stderr=output
        )
    try:
        until = time.monotonic() + 30
        while not _healthy(port):
            if process.poll() is not None or time.monotonic() > until:
                raise ChildProcessError(log.read_text())
            time.sleep(0.02)
        yield Server(process, port, log)
    finally:
        process.terminate()
        process.wait(timeout=10)


def _healthy(port: int) -> bool:
    try:
        return requests.get(f"http://127.0.0.1:{port}/healthz", timeout=5).ok
    except requests.ConnectionError:
        return False
