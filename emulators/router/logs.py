"""What functions print: one file each, kept small."""

import os
from datetime import UTC, datetime
from pathlib import Path

import orjson

_KEPT_BYTES = 2_000_000  # of the present file, and as much again of the one before it


class Log:
    """The log of one function, written by its instances through a shared descriptor, and by the router."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path

    def open(self) -> int:
        """A descriptor that appends; the caller closes it."""
        return os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)

    def say(self, severity: str, message: str) -> None:
        """Write one line of the platform's own, as Cloud Logging's structured form."""
        line = {"time": datetime.now(UTC).isoformat(), "severity": severity, "logger": "router", "message": message}
        with self.path.open("ab") as opened:
            opened.write(orjson.dumps(line) + b"\n")

    def last_line(self) -> str:
        """The last line that is not empty: of an unhandled exception, its type and message."""
        try:
            with self.path.open("rb") as opened:
                opened.seek(-min(8192, self.path.stat().st_size), os.SEEK_END)
                lines = opened.read().decode(errors="replace").split("\n")
        except FileNotFoundError:
            return ""
        return next((line.strip() for line in reversed(lines) if line.strip()), "")

    def trim(self) -> None:
        """Move a file that has grown too long to `<name>.1`; instances go on appending to the emptied one."""
        try:
            if self.path.stat().st_size <= _KEPT_BYTES:
                return
        except FileNotFoundError:
            return
        with self.path.open("rb") as opened:
            opened.seek(-_KEPT_BYTES, os.SEEK_END)
            self.path.with_suffix(".log.1").write_bytes(opened.read())
        os.truncate(self.path, 0)
