"""Draft a pipeline.yaml from a sample file: types, units, keys, ranges, what could be predicted, each with the reason.

The draft is tried on the sample. What a sample cannot tell, it asks. Needs no deployment.
"""

import argparse
from pathlib import Path

from rich.console import Console

from dropforge.contracts.errors import ActionRefused
from dropforge.core import drafting
from dropforge.core.drafting import Draft
from infra.commands import command
from infra.commands.command import Answer, plain


def main(arguments: list[str]) -> int:
    """`./deploy.sh init`; exit code 1 when the sample does not pass its own draft, as it stands."""
    parser = command.parser("init", __doc__)
    parser.add_argument("file", type=command.file, metavar="FILE", help="a sample of the data")
    parser.add_argument("--pipeline", metavar="NAME", help="how to call it (default: after the file)")
    parser.add_argument(
        "--out", type=command.file, metavar="FILE", help="where to write it (default: NAME.yaml; - is the terminal)"
    )
    given = parser.parse_args(arguments)
    return command.answer(given, lambda: _init(given))


def _init(given: argparse.Namespace) -> Answer:
    if not given.file.is_file():
        raise ActionRefused(f"Expected a sample of the data at {given.file}. Found no file.")
    made = drafting.draft(given.file, given.pipeline)
    to_terminal = given.out is not None and given.out.name == "-"
    out: Path = given.out or command.file(f"{made.pipeline.pipeline}.yaml")
    if not to_terminal:
        _write(out, made.text)
    told = {
        "pipeline": made.pipeline.pipeline,
        "file": None if to_terminal else str(out),
        "text": made.text,
        "lacking": made.lacking,
        "fits": made.fits,
        "rows_accepted": made.judged.rows_accepted if made.judged else None,
        "rows_quarantined": made.judged.rows_quarantined if made.judged else None,
        "reasons": [reason.sentence for reason in [*made.judged.refusals, *made.judged.breaches]]
        if made.judged
        else [],
    }

    def show(console: Console) -> None:
        if to_terminal:
            print(made.text, end="")
            return
        console.print(f"Wrote {out}.")
        _say(console, made)
        first = "Give the data what it lacks, and read the draft" if made.lacking else "Read it"
        console.print(f"{first}, then: ./deploy.sh deploy-pipeline {out}")

    return Answer(told, show, 0 if made.fits else 1)


def _write(out: Path, text: str) -> None:
    try:
        with out.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise ActionRefused(
            f"Expected no file at {out}. Found one: it is not written over. Name another with --out."
        ) from None
    except OSError as error:
        raise ActionRefused(f"Expected to write {out}. Found {error.strerror or error}.") from error


def _say(console: Console, made: Draft) -> None:
    for name, why in made.lacking.items():
        console.print(f"[yellow]The sample lacks {name}[/]: {plain(why)}.")
    if made.judged is not None:
        accepted, quarantined = made.judged.rows_accepted, made.judged.rows_quarantined
        console.print(f"Of the sample, {accepted:,} rows pass the draft, and {quarantined:,} do not.")
        for reason in [*made.judged.refusals, *made.judged.breaches]:
            console.print(f"  {plain(reason.sentence)}")
