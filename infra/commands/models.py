"""Every model that a pipeline has trained, the newest first: what it scored, what the judge said, whether it serves."""

import argparse
from typing import Any

from rich.console import Console

from dropforge.core import catalogue, pipelines
from dropforge.core.catalogue import Model
from dropforge.gcp.services import Services
from infra.commands import command, tables
from infra.commands.command import Answer


def main(arguments: list[str]) -> int:
    """`./deploy.sh models`."""
    parser = command.parser("models", __doc__)
    parser.add_argument("pipeline", metavar="PIPELINE")
    return command.run(parser.parse_args(arguments), _models)


def _models(services: Services, given: argparse.Namespace) -> Answer:
    pipeline, _ = pipelines.load(services.state, given.pipeline)
    metric = pipeline.success.metric
    told = [_told(model) for model in reversed(catalogue.models(services.state, given.pipeline))]

    def show(console: Console) -> None:
        if not told:
            console.print(f"No model of {given.pipeline} was trained yet.")
            return
        columns = ("version", "candidate", "trained", "until", "rows", "window", metric, "verdict", "why")
        tables.show(console, columns, [_row(one, metric) for one in told], right=("rows", metric))

    return Answer(told, show)


def _told(model: Model) -> dict[str, Any]:
    candidate = model.candidate
    return {
        "version": model.version or None,
        "candidate_id": candidate.candidate_id,
        "created": candidate.created,
        "train_until": candidate.lineage.train_until,
        "rows_train": candidate.lineage.rows_train,
        "window": candidate.lineage.window,
        "windows_tried": candidate.lineage.windows_tried,
        "kind": candidate.kind,
        "tried": candidate.tried,
        "personal": candidate.personal.model_dump() if candidate.personal else None,
        "rows_holdout": candidate.lineage.rows_holdout,
        "because": candidate.lineage.because,
        "metrics": candidate.metrics.get("all", {}),
        "verdict": model.verdict.status if model.verdict else None,
        "reasons": [reason.sentence for reason in model.verdict.reasons] if model.verdict else [],
        "serves": model.serves,
    }


def _row(one: dict[str, Any], metric: str) -> list[tables.Cell]:
    measured = one["metrics"].get(metric)
    verdict = (
        one["verdict"] or "not judged yet",
        {"published": "green", "refused": "yellow"}.get(one["verdict"], "dim"),
    )
    version = (f"{one['version'] or ''}{' serves' if one['serves'] else ''}", "bold green" if one["serves"] else "")
    return [
        version,
        one["candidate_id"][:8],
        tables.when(one["created"]),
        tables.when(one["train_until"])[:10],
        f"{one['rows_train']:,}",
        one["window"],
        "" if measured is None else f"{measured:.4f}",
        verdict,
        one["reasons"][0] if one["reasons"] else "",
    ]
