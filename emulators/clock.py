"""The time an emulator lives in: the machine's clock plus what a test has advanced it by."""

import time
from datetime import UTC, datetime


class Clock:
    """Wall-clock seconds that a test can move forward, so that deadlines and schedules need no waiting."""

    def __init__(self) -> None:
        self._ahead = 0.0

    @property
    def ahead_seconds(self) -> float:
        """How far this clock runs before the machine's."""
        return self._ahead

    def now(self) -> float:
        """Seconds since the epoch."""
        return time.time() + self._ahead

    def datetime(self) -> datetime:
        """The same instant as an aware UTC datetime."""
        return datetime.fromtimestamp(self.now(), UTC)

    def advance(self, seconds: float) -> None:
        """Move forward by `seconds`; time never goes back.

        Raises:
            ValueError: `seconds` is negative.
        """
        if seconds < 0:
            raise ValueError(f"The clock only moves forward: expected seconds >= 0, got {seconds}.")
        self._ahead += seconds

    def reset(self) -> None:
        """Return to the machine's time."""
        self._ahead = 0.0
