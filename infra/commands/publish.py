"""Publish a candidate that the judge refused, in your name and for your reason; both are recorded with the verdict."""

import argparse

from rich.console import Console

from dropforge.core import catalogue, pipelines
from dropforge.gcp.services import Services
from infra.commands import command
from infra.commands.command import Answer, plain


def main(arguments: list[str]) -> int:
    """`./deploy.sh publish`; exit code 1 when the deployed model did not answer as it did in training."""
    parser = command.parser("publish", __doc__)
    parser.add_argument("pipeline", metavar="PIPELINE")
    parser.add_argument(
        "candidate", metavar="CANDIDATE", help="its id, or the beginning of it that `./deploy.sh models` shows"
    )
    command.add_person(parser, reason_required=True)
    return command.run(parser.parse_args(arguments), _publish)


def _publish(services: Services, given: argparse.Namespace) -> Answer:
    from dropforge.ml import publishing  # scikit-learn takes seconds to import, which an error need not wait for

    pipeline, _ = pipelines.load(services.state, given.pipeline)
    candidate = catalogue.find(services.state, given.pipeline, given.candidate).candidate
    verdict = publishing.override(
        pipeline, candidate, given.by, given.reason, services.state, services.platform, services.clock
    )

    def show(console: Console) -> None:
        console.print(f"The candidate {candidate.candidate_id} was {verdict.status}.")
        for reason in verdict.reasons:
            console.print(f"  {plain(reason.sentence)}")

    return Answer(verdict.model_dump(), show, 0 if verdict.status == "published" else 1)
