"""How good the answers of a pipeline were, slice by slice, over time, with 95 % intervals.

With --expected: how good those without labels are expected to be, by how sure the model was, if its probabilities mean
what they meant on its holdout.
"""

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
    parser.add_argument("--expected", action="store_true", help="of answers whose labels are not there yet")
    given = parser.parse_args(arguments)
    return command.run(given, _expected if given.expected else _accuracy)


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


def _expected(services: Services, given: argparse.Namespace) -> Answer:
    from dropforge.ml.expected import of_unlabelled

    pipeline, _ = pipelines.load(services.state, given.pipeline)
    found = [each for each in of_unlabelled(pipeline, services.state) if given.slice in ("every", each.slice)]
    data = [{"version": each.version, "slice": each.slice, **asdict(each.estimate)} for each in found]

    def show(console: Console) -> None:
        if not data:
            console.print(
                f"No answer of {given.pipeline} waits for a label, or none of which anything can be expected."
            )
            return
        columns = ("version", "slice", "rows", "expected accuracy", "95 % interval", "expected ranking")
        rows: list[list[tables.Cell]] = [
            [
                each["version"],
                each["slice"],
                f"{each['rows']:,}",
                f"{each['accuracy']:.3f}",
                f"{each['low']:.3f} to {each['high']:.3f}",
                "" if each["roc_auc"] is None else f"{each['roc_auc']:.3f}",
            ]
            for each in data
        ]
        tables.show(console, columns, rows, right=("rows", "expected accuracy", "expected ranking"))

    return Answer(data, show)


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
