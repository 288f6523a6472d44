"""What arrived, what was trained, what serves and what is under way, of one pipeline or of all."""

import argparse
from dataclasses import asdict
from typing import Any

from rich.console import Console

from dropforge.core import pipelines
from dropforge.core.overview import Overview, overview
from dropforge.gcp.services import Services
from infra.commands import command, tables
from infra.commands.command import Answer, plain


def main(arguments: list[str]) -> int:
    """`./deploy.sh status`."""
    parser = command.parser("status", __doc__)
    parser.add_argument("pipeline", nargs="?", metavar="PIPELINE")
    return command.run(parser.parse_args(arguments), _status)


def _status(services: Services, given: argparse.Namespace) -> Answer:
    names = [given.pipeline] if given.pipeline else pipelines.deployed(services.state)
    found = [overview(name, services.landing, services.state, services.clock) for name in names]

    def show(console: Console) -> None:
        if not found:
            console.print("No pipeline is deployed. `./deploy.sh init FILE` drafts one, `deploy-pipeline` deploys it.")
        for one in found:
            _show(console, one)

    return Answer([_told(one) for one in found], show)


def _told(one: Overview) -> dict[str, Any]:
    return {
        "pipeline": one.pipeline.pipeline,
        "purpose": one.pipeline.purpose,
        "generation": one.generation,
        "tables": [asdict(table) for table in one.tables],
        "newest": one.newest.model_dump(include={"candidate_id", "created", "metrics"}) if one.newest else None,
        "verdict": one.verdict.model_dump(include={"status", "reasons"}) if one.verdict else None,
        "champion": one.champion.model_dump() if one.champion else None,
        "canary": one.canary.model_dump() if one.canary else None,
        "under_way": one.under_way,
    }


def _show(console: Console, one: Overview) -> None:
    console.print(f"\n[bold]{one.pipeline.pipeline}[/]  {plain(one.pipeline.purpose)}")
    rows: list[list[tables.Cell]] = [
        [
            table.table,
            f"{table.batches:,}",
            f"{table.rows_read:,}",
            f"{table.rows_accepted:,}",
            (f"{table.rows_quarantined:,}", "yellow" if table.rows_quarantined else ""),
            f"{table.rows_discarded:,}",
            tables.when(table.last_time),
            tables.when(table.last_decided),
        ]
        for table in one.tables
    ]
    counts = ("batches", "read", "accepted", "quarantined", "discarded")
    tables.show(console, ("table", *counts, "rows until", "last verdict"), rows, right=counts)
    tables.facts(console, [("serves", _serves(one)), ("newest model", _newest(one)), *_under_way(one)])


def _serves(one: Overview) -> str:
    now = one.champion
    if now is None:
        return "nothing yet"
    held = f", held by {now.published_by}: {now.reason}" if now.held else ""
    beside = f", and version {one.canary.version} for {one.canary.share} % of the requests" if one.canary else ""
    return f"version {now.version} since {tables.when(now.published)}{held}{beside}"


def _newest(one: Overview) -> str:
    if one.newest is None:
        return "none yet"
    metric = one.pipeline.success.metric
    measured = one.newest.metrics.get("all", {}).get(metric)
    score = "" if measured is None else f", {metric} {measured:.4f}"
    verdict = one.verdict.status if one.verdict else "not judged yet"
    return f"{one.newest.candidate_id} of {tables.when(one.newest.created)}{score}, {verdict}"


def _under_way(one: Overview) -> list[tuple[str, object]]:
    return [("under way", sentence) for sentence in one.under_way] or [("under way", "nothing")]
