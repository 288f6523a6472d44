"""Train a model again from its lineage alone, and say whether the same artefact comes out, byte for byte.

Nothing is written.
"""

import argparse
from dataclasses import asdict

from rich.console import Console

from dropforge.core import catalogue
from dropforge.gcp.services import Services
from infra.commands import command
from infra.commands.command import Answer, plain


def main(arguments: list[str]) -> int:
    """`./deploy.sh reproduce`; exit code 1 when it is not the same."""
    parser = command.parser("reproduce", __doc__)
    parser.add_argument("pipeline", metavar="PIPELINE")
    parser.add_argument("version", metavar="VERSION", help="a version, or the id of a candidate")
    return command.run(parser.parse_args(arguments), _reproduce)


def _reproduce(services: Services, given: argparse.Namespace) -> Answer:
    candidate = catalogue.find(services.state, given.pipeline, given.version).candidate
    from dropforge.ml.reproduce import reproduce  # scikit-learn takes seconds, which an error need not wait for

    found = reproduce(candidate, services.state)

    def show(console: Console) -> None:
        if found.same:
            console.print(f"[green]The same artefact[/], byte for byte: SHA-256 {found.expected}.")
        elif found.gone:
            console.print("It cannot be trained again. What it was made from is gone in part:")
        else:
            console.print(f"[red]Another artefact[/]: expected SHA-256 {found.expected}, found {found.found}.")
        for line in found.gone:
            console.print(f"  gone: {plain(line)}", soft_wrap=True)
        for line in found.changed:
            console.print(f"  not as it was: {plain(line)}")

    return Answer({**asdict(found), "same": found.same}, show, 0 if found.same else 1)
