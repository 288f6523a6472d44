"""What a model was made from: the exact generation and hash of every file, the rules, the code, and who asked."""

import argparse
from typing import Any

from rich.console import Console

from dropforge.contracts import places
from dropforge.contracts.batch import Batch
from dropforge.contracts.models import TrainedOn
from dropforge.contracts.verdicts import Staged
from dropforge.core import catalogue
from dropforge.core.catalogue import Model
from dropforge.core.ports import Objects
from dropforge.core.state import load
from dropforge.gcp.services import Services
from infra.commands import command, tables
from infra.commands.command import Answer


def main(arguments: list[str]) -> int:
    """`./deploy.sh lineage`."""
    parser = command.parser("lineage", __doc__)
    parser.add_argument("pipeline", metavar="PIPELINE")
    parser.add_argument("version", metavar="VERSION", help="a version, or the id of a candidate")
    return command.run(parser.parse_args(arguments), _lineage)


def _lineage(services: Services, given: argparse.Namespace) -> Answer:
    model = catalogue.find(services.state, given.pipeline, given.version)
    told = _told(model, services.state)

    def show(console: Console) -> None:
        names = (
            "version",
            "candidate",
            "artefact",
            "trained",
            "asked by",
            "because",
            "rules",
            "rows",
            "code",
            "libraries",
        )
        tables.facts(console, [(name, told[name.replace(" ", "_")]) for name in names])
        rows: list[list[tables.Cell]] = [
            [
                one["table"],
                one["file"],
                str(one["generation"]),
                f"{one['rows']:,}",
                one["sha256"][:12],
                one["replay_of"][:8],
            ]
            for one in told["batches"]
        ]
        columns = ("table", "file", "generation", "rows", "sha256", "replay of")
        tables.show(console, columns, rows, right=("rows",))

    return Answer(told, show)


def _told(model: Model, state: Objects) -> dict[str, Any]:
    candidate, lineage = model.candidate, model.candidate.lineage
    rules = f"gs://{state.bucket}/{places.pipeline_yaml(candidate.pipeline)}#{lineage.pipeline_generation}"
    libraries = ", ".join(f"{name} {version}" for name, version in lineage.libraries.items())
    return {
        "pipeline": candidate.pipeline,
        "version": model.version,
        "candidate": candidate.candidate_id,
        "artefact": candidate.artefact_sha256,
        "trained": candidate.created,
        "asked_by": lineage.asked_by,
        "because": lineage.because,
        "rules": rules,
        "rows": f"{lineage.rows_train:,} to train, {lineage.rows_holdout:,} to judge, parted at {lineage.train_until}",
        "code": lineage.code_version,
        "libraries": libraries,
        "seed": lineage.seed,
        "verdict": model.verdict.model_dump() if model.verdict else None,
        "served": [entry.model_dump() for entry in model.served],
        "batches": [_batch(candidate.pipeline, one, state) for one in lineage.batches],
    }


def _batch(pipeline: str, trained: TrainedOn, state: Objects) -> dict[str, Any]:
    batch = Batch(pipeline=pipeline, table=trained.table, batch_id=trained.batch_id)
    found = load(state, places.staged_record(batch), Staged)
    staged = found[0] if found else None
    return {
        "table": trained.table,
        "batch": trained.batch_id,
        "file": trained.source.uri,
        "generation": trained.source.generation,
        "accepted_generation": trained.accepted_generation,
        "rows": trained.rows,
        "sha256": staged.content_sha256 if staged else "",
        "replay_of": staged.replay.of if staged and staged.replay else "",
    }
