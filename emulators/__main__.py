"""`python -m emulators NAME [--host H] [--port P] [--data DIR]` runs one emulator until it is told to stop."""

import argparse
import asyncio
import contextlib
import importlib
from pathlib import Path

from emulators.hosting import Options

NAMES = ("storage", "pubsub", "bigquery", "vertex", "router")


def main() -> None:
    """Parse the command line and hand over to the emulator's `serve`."""
    parser = argparse.ArgumentParser(prog="python -m emulators", description="Run one local Google Cloud emulator.")
    parser.add_argument("name", choices=NAMES)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0, the default, takes a free port")
    parser.add_argument("--data", type=Path, help="folder that keeps the state; without it, memory only")
    given = parser.parse_args()
    options = Options(name=given.name, host=given.host, port=given.port, data=given.data)
    server = importlib.import_module(f"emulators.{given.name}.server")
    with contextlib.suppress(KeyboardInterrupt):  # Ctrl-C is how it is meant to end
        asyncio.run(server.serve(options))


if __name__ == "__main__":
    main()
