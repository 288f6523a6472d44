"""Serve a version that served before, at once, and hold it: what is trained meanwhile is judged, and refused as held,
until `--release` ends that. Without --to it is the last version that served before the present one; repeated, it stays.
"""

import argparse

from rich.console import Console

from dropforge.contracts.errors import ActionRefused
from dropforge.core import pipelines, rollback
from dropforge.gcp.services import Services
from infra.commands import command, tables
from infra.commands.command import Answer


def main(arguments: list[str]) -> int:
    """`./deploy.sh rollback`."""
    parser = command.parser("rollback", __doc__)
    parser.add_argument("pipeline", metavar="PIPELINE")
    parser.add_argument("--to", metavar="VERSION", help="the version to serve")
    parser.add_argument("--release", action="store_true", help="let the next good candidate be published again")
    command.add_person(parser, reason_required=True)
    return command.run(parser.parse_args(arguments), _rollback)


def _rollback(services: Services, given: argparse.Namespace) -> Answer:
    if given.release and given.to:
        raise ActionRefused("Expected --to or --release. Found both: a release leaves serving what serves.")
    name, _ = pipelines.load(services.state, given.pipeline)
    if given.release:
        now = rollback.release(name.pipeline, given.by, given.reason, services.state, services.clock)
    else:
        now = rollback.rollback(
            name.pipeline, given.by, given.reason, services.state, services.platform, services.clock, given.to
        )

    def show(console: Console) -> None:
        held = (
            "held: nothing replaces it until `--release`" if now.held else "free: the next good candidate replaces it"
        )
        console.print(f"Version {now.version} of {now.pipeline} serves, {held}.")
        pairs = [("since", tables.when(now.published)), ("by", now.published_by), ("why", now.reason)]
        tables.facts(console, [*pairs, ("candidate", now.candidate_id)])

    return Answer(now.model_dump(), show)
