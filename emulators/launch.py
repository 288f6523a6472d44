"""One emulator as a process of its own, for tests: started, announced, asked, killed, stopped."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import requests

from emulators.process import spawn

_ROOT = Path(__file__).parents[1]


class StartFailed(Exception):
    """An emulator ended before it answered; the message is what it wrote."""


class FaultLeft(AssertionError):
    """A fault was ordered, and nothing that happened in the `with` block suffered it."""


class Emulator:
    """`python -m emulators NAME`, answering while the `with` block lasts."""

    def __init__(self, name: str, errors: Path, data: Path | None = None, port: int = 0, **variables: str) -> None:
        arguments = [sys.executable, "-m", "emulators", name, "--port", str(port)]
        self._arguments = arguments + (["--data", str(data)] if data else [])
        self._variables = {**os.environ, **variables}
        self._errors = errors
        self.url = self.control_url = ""
        self.variables: dict[str, str] = {}  # what clients are told beside the address

    def __enter__(self) -> Self:
        with self._errors.open("ab") as errors:
            self.process = spawn(  # ends with the test run, however that ends
                self._arguments, environment=self._variables, folder=_ROOT, stdout=subprocess.PIPE, stderr=errors
            )
        assert self.process.stdout is not None, "opened as a pipe above"
        with self.process.stdout as lines:
            line = lines.readline()
        if not line:
            self.process.wait(timeout=20)
            raise StartFailed(f"The emulator ended before it answered: {self._errors.read_text()}")
        announced = json.loads(line)
        self.url, self.control_url = announced["url"], announced["control"]
        self.variables = announced["variables"]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.terminate()
        self.process.wait(timeout=20)

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(timeout=20)

    def control(self, method: str, path: str, body: dict[str, Any] | None = None) -> requests.Response:
        """A call of the control plane, such as `control("POST", "/reset")`."""
        return requests.request(method, f"{self.control_url}/_emulator{path}", json=body, timeout=30)

    @contextmanager
    def fault(self, operation: str, action: str, **more: Any) -> Iterator[None]:
        """Order a fault for the `with` block.

        Raises:
            FaultLeft: at the end of the block, where the fault was not suffered as often as ordered.
        """
        ordered = self.control("POST", "/faults", {"operation": operation, "action": action, **more})
        ordered.raise_for_status()
        place = f"/faults/{ordered.json()['id']}"
        try:
            yield
            suffered = self.control("GET", place).json()
        finally:
            self.control("DELETE", place)
        if suffered["consumed"] != suffered["times"]:
            expected, found = suffered["times"], suffered["consumed"]
            raise FaultLeft(f"Expected {operation} to suffer {action} {expected} times. It did {found} times.")
