"""Train now, on everything accepted, whatever the mode of the pipeline; then wait for the judge and what follows."""

import argparse
import uuid

from rich.console import Console

from dropforge.contracts.errors import ServiceUnavailable
from dropforge.contracts.models import Candidate
from dropforge.gcp.services import Services
from infra.commands import awaiting, command, tables
from infra.commands.command import Answer
from infra.local.follow import Training


def main(arguments: list[str]) -> int:
    """`./deploy.sh train`."""
    parser = command.parser("train", __doc__)
    parser.add_argument("pipeline", metavar="PIPELINE")
    parser.add_argument("--patience", type=float, default=awaiting.PATIENCE, metavar="SECONDS")
    command.add_person(parser, reason_required=False)
    return command.run(parser.parse_args(arguments), _train)


def _train(services: Services, given: argparse.Namespace) -> Answer:
    from dropforge.ml import trigger  # scikit-learn takes seconds to import, which an error need not wait for

    because = given.reason or f"{given.by} asked for it."
    request = f"request-{uuid.uuid4().hex[:12]}"
    candidate = trigger.on_request(
        given.pipeline, request, given.by, because, services.state, services.topics, services.clock
    )
    training = Training(given.pipeline, frozenset(), candidate)

    def settled() -> bool:
        training.look(services.state)
        return training.settled

    if not awaiting.until(settled, given.patience):
        raise ServiceUnavailable(
            f"Expected a verdict on the candidate {candidate.candidate_id} within {given.patience:.0f} s. Found none: "
            f"see the log of the function publish, and `./deploy.sh models {given.pipeline}` later."
        )
    reasons = [reason.sentence for reason in training.verdict.reasons] if training.verdict else []
    told = {
        "candidate": candidate.model_dump(),
        "verdict": training.verdict.model_dump() if training.verdict else None,
        "version": training.version or None,
        "canary": training.canary.model_dump() if training.canary else None,
    }
    return Answer(told, lambda console: _show(console, candidate, training, reasons))


def _show(console: Console, candidate: Candidate, training: Training, reasons: list[str]) -> None:
    outcome = (
        f"version {training.version} serves"
        if training.version
        else training.verdict.status
        if training.verdict
        else ""
    )
    if training.canary is not None:
        outcome = f"version {training.canary.version} is a canary, with {training.canary.share} % of the requests"
    measured = {name: value for name, value in candidate.metrics.get("all", {}).items() if name != "rows"}
    metrics = ", ".join(f"{name} {value:.4f}" for name, value in measured.items())
    tables.facts(
        console,
        [
            ("candidate", candidate.candidate_id),
            ("trained on", f"{candidate.lineage.rows_train:,} rows of {len(candidate.lineage.batches)} batches"),
            (f"on {candidate.lineage.rows_holdout:,} later rows", metrics),
            ("outcome", outcome),
            ("why", " ".join(reasons)),
        ],
    )
