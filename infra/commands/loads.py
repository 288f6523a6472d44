"""Load history: every file that got a verdict, with its size, its rows, its first error and who brought it.

The same stands in BigQuery, one row a batch, in the table `loads` of the deployment's dataset.
"""

import argparse

from rich.console import Console

from dropforge.contracts.loads import Load
from dropforge.core import loads, pipelines
from dropforge.gcp.services import Services
from infra.commands import command, tables
from infra.commands.command import Answer

COLOURS = {"accepted": "green", "quarantined": "red"}


def main(arguments: list[str]) -> int:
    """`./deploy.sh loads`."""
    parser = command.parser("loads", __doc__)
    parser.add_argument("pipeline", metavar="PIPELINE")
    parser.add_argument("--table", metavar="NAME", help="of this table only")
    parser.add_argument("--limit", type=int, default=50, metavar="N", help="the newest N (default: 50; 0: all)")
    return command.run(parser.parse_args(arguments), _loads)


def _loads(services: Services, given: argparse.Namespace) -> Answer:
    pipelines.load(services.state, given.pipeline)
    found = loads.newest(services.state, given.pipeline, given.table, given.limit)

    def show(console: Console) -> None:
        if not found:
            console.print(f"No file of {given.pipeline} has a verdict yet.")
            return
        columns = (
            "decided",
            "file",
            "bytes",
            "form",
            "parsed",
            "accepted",
            "quarantined",
            "status",
            "first error",
            "brought by",
        )
        tables.show(console, columns, map(_row, found), right=("bytes", "parsed", "accepted", "quarantined"))

    return Answer([one.model_dump() for one in found], show)


def _row(one: Load) -> list[tables.Cell]:
    form = one.format if one.compression == "none" else f"{one.format}.{one.compression}"
    return [
        tables.when(one.decided_at),
        one.source.removeprefix("gs://").partition("/")[2] + (" (replay)" if one.replay_of else ""),
        f"{one.size_bytes:,}",
        form,
        f"{one.rows_parsed:,}",
        f"{one.rows_accepted:,}",
        f"{one.rows_quarantined:,}",
        (one.status.replace("_", " "), COLOURS.get(one.status, "yellow")),
        one.first_error or "",
        one.brought_by or "",
    ]
