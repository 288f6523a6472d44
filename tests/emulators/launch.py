"""Runs an emulator as its users do: as a process."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import requests
from google.auth.credentials import AnonymousCredentials

from emulators.process import spawn


class Emulator:
    """`python -m emulators NAME`, answering while the `with` block lasts."""

    def __init__(self, name: str, errors: Path, data: Path | None = None, port: int = 0, **variables: str) -> None:
        arguments = [sys.executable, "-m", "emulators", name, "--port", str(port)]
        self._arguments = arguments + (["--data", str(data)] if data else [])
        self._variables = {**os.environ, **variables}
        self._errors = errors
        self.url = self.control_url = ""

    def __enter__(self) -> Self:
        with self._errors.open("ab") as errors:
            self.process = spawn(  # ends with the test run, however that ends
                self._arguments,
                environment=self._variables,
                folder=Path(__file__).parents[2],
                stdout=subprocess.PIPE,
                stderr=errors,
            )
        assert self.process.stdout is not None
        with self.process.stdout as lines:
            line = lines.readline()
        assert line, f"The emulator ended before it answered: {self._errors.read_text()}"
        announced = json.loads(line)
        self.url, self.control_url = announced["url"], announced["control"]
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
        """A call of the control plane."""
        return requests.request(method, f"{self.control_url}/_emulator{path}", json=body, timeout=30)


def anonymous() -> AnonymousCredentials:
    """Credentials of nobody, which every emulator takes."""
    return AnonymousCredentials()  # type: ignore[no-untyped-call]  # google-auth is typed in part
