"""What is different between two models: the files they learned from, rules, code, libraries, parameters and scores."""

import argparse

from rich.console import Console

from dropforge.core import catalogue
from dropforge.gcp.services import Services
from infra.commands import command, tables
from infra.commands.command import Answer


def main(arguments: list[str]) -> int:
    """`./deploy.sh diff`."""
    parser = command.parser("diff", __doc__)
    parser.add_argument("pipeline", metavar="PIPELINE")
    for name in ("first", "second"):
        parser.add_argument(name, metavar="VERSION", help="a version, or the id of a candidate")
    return command.run(parser.parse_args(arguments), _diff)


def _diff(services: Services, given: argparse.Namespace) -> Answer:
    models = [catalogue.find(services.state, given.pipeline, named) for named in (given.first, given.second)]
    found = catalogue.differences(models[0].candidate, models[1].candidate)
    told = {name: {"first": first, "second": second} for name, (first, second) in found.items()}

    def show(console: Console) -> None:
        if not found:
            console.print(f"{given.first} and {given.second} are one and the same model.")
            return
        rows = [[name, _shown(first), _shown(second)] for name, (first, second) in found.items()]
        tables.show(console, ("what", given.first, given.second), rows)

    return Answer(told, show)


def _shown(value: object) -> str:
    if value is None:
        return ""
    return f"{value:.6g}" if isinstance(value, float) else str(value)
