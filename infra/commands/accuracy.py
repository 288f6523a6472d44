"""How good the answers of a pipeline were, slice by slice, over time, with 95 % intervals."""

import argparse
from dataclasses import asdict

from rich.console import Console

from dropforge.core import pipelines
from dropforge.core.monitoring.over_time import Measured, over_time
from dropforge.gcp.services import Services
from infra.commands import command, tables
from infra.commands.command import Answer


def main(arguments: list[str]) -> int:
    """`./deploy.sh accuracy`."""
    parser = command.parser("accuracy", __doc__)
    parser.add_argument("pipeline", metavar="PIPELINE")
    parser.add_argument("--slice", default="all", metavar="NAME", help="such as origin=JFK, or 'every' (default: all)")
    return command.run(parser.parse_args(arguments), _accuracy)


def _accuracy(services: Services, given: argparse.Namespace) -> Answer:
    pipelines.load(services.state, given.pipeline)
    found = list(over_time(services.state, given.pipeline))
    wanted = [each for each in found if given.slice in ("every", each.slice)]

    def show(console: Console) -> None:
        if not found:
            console.print(f"Nothing that {given.pipeline} answered has a label yet.")
        elif not wanted:
            names = ", ".join(sorted({each.slice for each in found}))
            console.print(f"There is no slice {given.slice!r}. There are: {names}.")
        else:
            columns = ("known since", "of", "version", "slice", "rows", "accuracy", "95 % interval", "ranking", "now")
            tables.show(console, columns, [_row(each) for each in wanted], right=("rows", "accuracy", "ranking"))

    return Answer([asdict(each) for each in wanted], show)


def _row(one: Measured) -> list[tables.Cell]:
    now = ("alarm", "red") if one.alarmed else ""
    return [
        tables.when(one.known),
        one.of,
        one.version,
        one.slice,
        f"{one.rows:,}",
        f"{one.accuracy:.3f}",
        f"{one.low:.3f} to {one.high:.3f}",
        "" if one.roc_auc is None else f"{one.roc_auc:.3f}",
        now,
    ]
