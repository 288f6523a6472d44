"""Why each batch or request did, or did not, start a training, the newest first; what one was expected to take, and
until when one waits."""

import argparse

from rich.console import Console

from dropforge.contracts.models import TrainingDecision
from dropforge.core import decisions, pipelines
from dropforge.gcp.services import Services
from infra.commands import command, tables
from infra.commands.command import Answer


def main(arguments: list[str]) -> int:
    """`./deploy.sh decisions`."""
    parser = command.parser("decisions", __doc__)
    parser.add_argument("pipeline", metavar="PIPELINE")
    parser.add_argument("--last", type=int, default=20, metavar="N", help="how many (default: 20)")
    return command.run(parser.parse_args(arguments), _decisions)


def _decisions(services: Services, given: argparse.Namespace) -> Answer:
    pipelines.load(services.state, given.pipeline)
    found = list(decisions.newest_first(services.state, given.pipeline, given.last))

    def show(console: Console) -> None:
        if not found:
            console.print(f"Nothing was decided for {given.pipeline} yet: no batch was accepted, and nobody asked.")
            return
        columns = ("at", "train", "new rows", "expected", "why")
        tables.show(console, columns, [_row(one) for one in found], right=("new rows",))

    return Answer([one.model_dump() for one in found], show)


def _row(one: TrainingDecision) -> list[tables.Cell]:
    where = "in a job" if one.job else "yes"
    train: tables.Cell = (where, "green") if one.train else ("waits" if one.wait_until else "no", "dim")
    cost = f"{one.expected.seconds:,.0f} s, {one.expected.memory_mb:,.0f} MB" if one.expected else ""
    return [tables.when(one.at), train, f"{one.new_rows:,}", cost, f"{one.because} {one.job}".strip()]
