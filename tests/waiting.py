"""Waiting for what happens on its own, in another thread or process."""

import time
from collections.abc import Callable


def until[Found](look: Callable[[], Found], seconds: float = 60, pause: float = 0.02) -> Found:
    """What `look` finds once that is true of anything; fails after so many seconds, with what it found last."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, f"It did not come to that within {seconds:g} s. Found {found!r} at the end."
        time.sleep(pause)
    return found
