"""A `./deploy.sh local` in a process of its own, watched and, where a test wants it, hurt."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

REPO = Path(__file__).parents[2]


class Run:
    """One run on a state folder of its own, on free ports. Its output is kept as it comes."""

    def __init__(self, home: Path, *arguments: str) -> None:
        command = [sys.executable, "-m", "infra", "local", "--home", str(home), "--free-ports", *arguments]
        environment = {**os.environ, "PYTHONPATH": f"{REPO}:{REPO / 'shared'}", "PYTHONUNBUFFERED": "1"}
        self.lines: list[str] = []
        self.process = subprocess.Popen(
            command, cwd=REPO, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def output(self) -> str:
        """All that was printed so far."""
        return "\n".join(self.lines)

    def until(self, text: str, seconds: float = 240) -> None:
        """Return once a line holds `text`."""
        self.wait_for(lambda: any(text in line for line in self.lines), f"a line with {text!r}", seconds)

    def wait_for(self, true: Callable[[], bool], what: str, seconds: float) -> None:
        """Return once `true()`; fail with the output when the run ends before, or time is up."""
        deadline = time.monotonic() + seconds
        while not true():
            ended = self.process.poll()
            assert ended is None, f"Expected {what}; the run ended with {ended}:\n{self.output}"
            assert time.monotonic() < deadline, f"Expected {what} within {seconds} s:\n{self.output}"
            time.sleep(0.05)

    def finish(self, seconds: float = 400) -> int:
        """Wait for the end; returns the exit code."""
        try:
            status = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"The run did not end within {seconds} s:\n{self.output}") from None
        self._reader.join()
        return status

    def pids(self, name: str) -> list[int]:
        """The processes of this run whose command line holds `name`, itself left out."""
        return [pid for pid in descendants(self.process.pid) if name in command_line(pid)]

    def kill(self) -> None:
        """`kill -9` the run itself, and nothing else: the kernel must end what it started."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as stream:
            for line in stream:
                self.lines.append(line.rstrip("\n"))


def command_line(pid: int) -> str:
    """The command line of a process, or nothing when it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""


def descendants(pid: int) -> list[int]:
    """All processes below `pid`."""
    parents: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        parents.setdefault(int(fields[1]), []).append(int(stat.parent.name))
    found, waiting = [], [pid]
    while waiting:
        children = parents.get(waiting.pop(), [])
        found += children
        waiting += children
    return found
