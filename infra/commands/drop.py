"""Drop files into a pipeline's folder of the landing bucket, and follow each to its verdict."""

import argparse
import getpass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from dropforge.contracts.batch import Batch, Source
from dropforge.contracts.errors import ActionRefused
from dropforge.contracts.loads import DROPPED_BY
from dropforge.contracts.pipeline import Pipeline
from dropforge.contracts.verdicts import BatchVerdict
from dropforge.core import pipelines
from dropforge.core.ports import Objects
from dropforge.gcp.services import Services
from infra.commands import awaiting, command
from infra.commands.command import Answer, plain


def main(arguments: list[str]) -> int:
    """`./deploy.sh drop`; exit code 1 when a file was quarantined as a whole."""
    parser = command.parser("drop", __doc__)
    parser.add_argument("pipeline", metavar="PIPELINE")
    parser.add_argument("files", nargs="+", type=command.file, metavar="FILE")
    parser.add_argument("--table", help="which table they are of (default: the pipeline's main one)")
    parser.add_argument("--patience", type=float, default=awaiting.PATIENCE, metavar="SECONDS")
    return command.run(parser.parse_args(arguments), _drop)


def _drop(services: Services, given: argparse.Namespace) -> Answer:
    pipeline, _ = pipelines.load(services.state, given.pipeline)
    table = given.table or pipeline.table
    if table not in pipeline.tables:
        raise ActionRefused(
            f"Expected a table of {pipeline.pipeline!r}: {', '.join(pipeline.tables)}. Found {table!r}."
        )
    for file in given.files:
        if not file.is_file() or not file.stat().st_size:
            raise ActionRefused(
                f"Expected a file with content at {file}. Found {'none' if not file.is_file() else 'it empty'}."
            )
    batches = [_put(file, pipeline, table, services.landing) for file in given.files]
    verdicts = awaiting.verdicts(batches, services.state, given.patience)
    told = [_told(file, verdict) for file, verdict in zip(given.files, verdicts, strict=True)]
    whole = any(verdict.status == "quarantined" for verdict in verdicts)
    return Answer({"files": told}, lambda console: _show(console, told), 1 if whole else 0)


def _put(file: Path, pipeline: Pipeline, table: str, landing: Objects) -> Batch:
    """Drop a file; one of the same name is overwritten, and is a batch of its own."""
    folder = pipeline.pipeline if table == pipeline.table else f"{pipeline.pipeline}/{table}"
    name = f"{folder}/{file.name}"
    there = [info.generation for info in landing.list(name) if info.name == name]
    who = {DROPPED_BY: getpass.getuser()}
    generation = landing.replace(name, file.read_bytes(), there[0], who) if there else landing.create(name, file, who)
    source = Source(bucket=landing.bucket, name=name, generation=generation)
    return Batch.of(source, {pipeline.pipeline: pipeline.table})


def _told(file: Path, verdict: BatchVerdict) -> dict[str, Any]:
    return {"file": str(file), "source": verdict.source.uri, **verdict.model_dump(exclude={"source", "replay"})}


def _show(console: Console, told: list[dict[str, Any]]) -> None:
    table = Table()
    for name in ("file", "verdict", "read", "accepted", "quarantined", "why"):
        table.add_column(name, justify="right" if name in ("read", "accepted", "quarantined") else "left")
    colours = {"accepted": "green", "quarantined": "red"}
    for one in told:
        counts = [f"{one[f'rows_{name}']:,}" for name in ("read", "accepted", "quarantined")]
        status = f"[{colours.get(one['status'], 'yellow')}]{one['status'].replace('_', ' ')}[/]"
        why = plain(one["reasons"][0]["sentence"]) if one["reasons"] else ""
        table.add_row(plain(one["file"]), status, *counts, why)
    console.print(table)
    for one in told:
        if one["rows_quarantined"]:
            console.print(f"Rows and reasons: ./deploy.sh quarantine show {one['batch']['batch_id']}")
