"""What happened to one function since the start or the last reset."""

from dataclasses import dataclass
from typing import Any

from emulators.clock import Clock
from emulators.router.logs import Log

_SHOWN_CHARACTERS = 1000


@dataclass
class Counts:
    """Counts, and the last error; a failure is also told in the function's log."""

    clock: Clock
    log: Log
    requests: int = 0
    failures: int = 0
    cold_starts: int = 0
    last_cold_start_seconds: float | None = None
    last_error: dict[str, Any] | None = None

    def failed(self, status: int, message: str) -> None:
        """Count a failure."""
        message = message[:_SHOWN_CHARACTERS]
        self.failures += 1
        self.last_error = {"status": status, "message": message, "at": self.clock.datetime().isoformat()}
        self.log.say("ERROR", f"{status}: {message}")

    def started(self, seconds: float) -> None:
        """Count a cold start."""
        self.cold_starts += 1
        self.last_cold_start_seconds = round(seconds, 3)

    def shown(self) -> dict[str, Any]:
        """For `GET /_emulator/functions`."""
        return {key: value for key, value in vars(self).items() if key not in ("clock", "log")}
