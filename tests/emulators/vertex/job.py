"""The custom job of the emulator's tests: says what it was told, and then does what its arguments ask."""

import os
import signal
import sys
import time
from pathlib import Path


def main() -> None:
    """`fail`, `sleep`, or `write PATH`: everything it knows, one variable a line."""
    action, *rest = sys.argv[1:]
    print("job begins", action, flush=True)
    if action == "fail":
        sys.exit("no rows to train on")
    if action == "sleep":
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        Path(rest[0]).write_text(str(os.getpid()))
        time.sleep(60)
    if action == "write":
        Path(rest[0]).write_text("\n".join(f"{name}={value}" for name, value in sorted(os.environ.items())))


if __name__ == "__main__":
    main()
