"""`./deploy.sh emulators`: the Google Cloud emulators alone, for any project's code, until Ctrl-C."""

import argparse
import contextlib
import signal
import sys
import tempfile
import time
from pathlib import Path
from types import FrameType
from typing import NoReturn

from infra.local.service import ROOT, StartFailed
from infra.local.stack import PORTS, Stack, only_one

EMULATORS = [name for name in PORTS if name != "router"]


def main(arguments: list[str]) -> int:
    """Start them, say how to reach them, and stay."""
    parser = argparse.ArgumentParser(prog="./deploy.sh emulators", description=__doc__)
    parser.add_argument("--memory", action="store_true", help="keep nothing on disk")
    parser.add_argument("--home", type=Path, default=ROOT / ".dropforge" / "emulators", help="folder of state and logs")
    parser.add_argument("--env-file", type=Path, help="also write the export lines to this file")
    for name in EMULATORS:
        parser.add_argument(f"--{name}-port", type=int, default=PORTS[name], help="0 takes a free one")
    given = parser.parse_args(arguments)
    ports = {name: getattr(given, f"{name}_port") for name in EMULATORS}
    for ending in (signal.SIGINT, signal.SIGTERM):  # SIGINT too, for what a shell starts in the background ignores it
        signal.signal(ending, _interrupt)
    with tempfile.TemporaryDirectory() as scratch:
        home = Path(scratch) if given.memory else given.home
        with only_one(home), Stack(home, _tell, persistent=not given.memory, ports=ports) as stack:
            try:
                stack.start_emulators()
            except StartFailed as error:
                sys.exit(str(error))
            except KeyboardInterrupt:
                return 130
            with contextlib.suppress(KeyboardInterrupt):  # Ctrl-C is how it is meant to end
                print(stack.exports(), end="", flush=True)
                if given.env_file:
                    given.env_file.write_text(stack.exports())
                _stay(stack)
            return 0


def _stay(stack: Stack) -> NoReturn:
    while True:
        time.sleep(0.5)
        for name in stack.revive():
            _tell(f"{name} had died and was started again")


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _interrupt(_: int, __: FrameType | None) -> None:
    raise KeyboardInterrupt
