"""One local process that announces itself: started, awaited, restarted when it died, stopped."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from emulators.ports import free_port
from emulators.process import spawn

ROOT = Path(__file__).parents[2]


class StartFailed(Exception):
    """A process ended, or said nothing, before it was ready; the message carries the end of its log."""


class Service:
    """One emulator in a process of its own. Its log is `<logs>/<name>.log`."""

    def __init__(self, name: str, port: int, data: Path | None, logs: Path, host: str = "127.0.0.1") -> None:
        self.name = name
        self.host = host
        self.port = port
        self.url = ""
        self.control = ""
        self.variables: dict[str, str] = {}  # what clients are told beside the address
        self.restarts = 0
        self._data = data
        self._log = logs / f"{name}.log"
        self._ready = logs / f"{name}.ready"
        self._process: subprocess.Popen[bytes] | None = None
        self._environment: dict[str, str] = {}

    def reserve(self) -> None:
        """Settle the port before the start, so that others can be told of it; one that is taken becomes a free one."""
        self.port = free_port(self.port, self.host)

    @property
    def pid(self) -> int | None:
        """The process id, or None when it does not run."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def start(self, environment: Mapping[str, str]) -> None:
        """Start without waiting. A port that was taken meanwhile is exchanged for a free one."""
        self._environment = dict(environment)
        self.reserve()
        command = [sys.executable, "-m", "emulators", self.name, "--host", self.host, "--port", str(self.port)]
        if self._data is not None:
            command += ["--data", str(self._data)]
        with self._ready.open("wb") as ready, self._log.open("ab") as log:
            self._process = spawn(command, environment=self._environment, folder=ROOT, stdout=ready, stderr=log)

    def wait(self, seconds: float = 60) -> None:
        """Return once it has announced itself.

        Raises:
            StartFailed: it ended, or `seconds` went by.
        """
        if self._process is None:
            raise StartFailed(f"{self.name} was not started.")
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            line = self._ready.read_text().partition("\n")
            if line[1]:
                said = json.loads(line[0])
                self.url, self.control, self.variables = said["url"], said["control"], said["variables"]
                self.port = int(self.url.rsplit(":", 1)[1])
                return
            if self._process.poll() is not None:
                raise StartFailed(f"{self.name} ended with code {self._process.returncode}:\n{self.tail()}")
            time.sleep(0.02)
        raise StartFailed(f"{self.name} was not ready within {seconds:.0f} s:\n{self.tail()}")

    def revive(self) -> bool:
        """Start it again on the same port if it died; returns whether it had."""
        if self._process is None or self._process.poll() is None:
            return False
        self.restarts += 1
        self.start(self._environment)
        self.wait()
        return True

    def stop(self, seconds: float = 5) -> None:
        """Ask it to end, and end it if it does not within `seconds`."""
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(seconds)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._process = None

    def tail(self, lines: int = 15) -> str:
        """The end of its log."""
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-lines:])


def sheltered(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The environment without anything that could lead a client to the real cloud, or loopback to a proxy."""
    kept = {
        name: value
        for name, value in environment.items()
        if not name.startswith(("GOOGLE_", "CLOUDSDK_", "DROPFORGE_"))
        and not name.endswith("_EMULATOR_HOST")
        and name.upper() not in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
    }
    return {**kept, "NO_PROXY": "127.0.0.1,localhost", "no_proxy": "127.0.0.1,localhost"}
