"""What every command has in common: its arguments, tables for people or JSON for machines, and errors in one line."""

import argparse
import getpass
import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape

from dropforge.contracts.errors import DropforgeError
from dropforge.gcp.services import Services
from infra.commands import deployment

WIDE = 160  # columns of a table that goes into a file or a pipe


@dataclass(frozen=True)
class Answer:
    """What a command found: `data` as JSON has it, and how a person is shown the same. `status` is the exit code."""

    data: Any
    show: Callable[[Console], None]
    status: int = 0


Work = Callable[[Services, argparse.Namespace], Answer]


def parser(name: str, says: str | None) -> argparse.ArgumentParser:
    """The parser of a command, with what all commands take."""
    made = argparse.ArgumentParser(
        prog=f"./deploy.sh {name}", description=says, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_usual(made)
    return made


def add_usual(made: argparse.ArgumentParser) -> None:
    """The options that every command has."""
    made.add_argument("--json", action="store_true", help="print JSON, for machines")
    made.add_argument(
        "--home",
        type=Path,
        metavar="FOLDER",
        help="the folder of a `./deploy.sh local` that runs (default: .dropforge)",
    )


def add_person(made: argparse.ArgumentParser, reason_required: bool) -> None:
    """Who asks, and why: both are recorded."""
    made.add_argument("--by", default=getpass.getuser(), metavar="NAME", help="who asks (default: the user)")
    made.add_argument("--reason", required=reason_required, default="", metavar="TEXT", help="why; it is recorded")


def file(name: str) -> Path:
    """A file that is named on the command line: `./deploy.sh` changes its folder, and says where it was called."""
    return Path(os.environ.get("DROPFORGE_CALLED_FROM", ""), name)


def run(given: argparse.Namespace, work: Work) -> int:
    """Connect, do the work, and print what it found; an error is one sentence and exit code 1."""
    return answer(given, lambda: work(deployment.connect(given.home), given))


def answer(given: argparse.Namespace, work: Callable[[], Answer]) -> int:
    """As `run`, for work that needs no deployment."""
    try:
        found = work()
    except DropforgeError as error:
        if given.json:
            print(json.dumps({"error": {"type": type(error).__name__, "message": error.message}}, ensure_ascii=False))
        else:
            print(error.message, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted. What was begun goes on; the same command finds it.", file=sys.stderr)
        return 130
    if given.json:
        print(json.dumps(found.data, indent=1, ensure_ascii=False, default=str))
    else:
        found.show(console())
    return found.status


def console() -> Console:
    """Where people read."""
    made = Console(highlight=False)
    if not made.is_terminal:
        made.width = WIDE
    return made


def plain(value: object) -> str:
    """Text from outside, safe to print among rich's own marks."""
    return escape(str(value))
