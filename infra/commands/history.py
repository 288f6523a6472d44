"""What served when, who made it so, and why; with --at, what served at that moment and what it was made from."""

import argparse
from collections.abc import Iterator
from datetime import UTC, datetime
from heapq import merge
from typing import Any

from rich.console import Console

from dropforge.contracts.canary import Canary
from dropforge.contracts.errors import ActionRefused
from dropforge.contracts.models import HistoryEntry
from dropforge.core import canary, candidates, history, pipelines
from dropforge.gcp.services import Services
from infra.commands import command, tables
from infra.commands.command import Answer


def main(arguments: list[str]) -> int:
    """`./deploy.sh history`."""
    parser = command.parser("history", __doc__)
    parser.add_argument("pipeline", metavar="PIPELINE")
    parser.add_argument("--at", metavar="TIME", help="such as 2026-05-01T12:00:00+02:00; without a zone it is UTC")
    given = parser.parse_args(arguments)
    return command.run(given, _at if given.at else _all)


def _all(services: Services, given: argparse.Namespace) -> Answer:
    pipelines.load(services.state, given.pipeline)
    entries = list(history.entries(services.state, given.pipeline))
    moves = list(_steps(canary.moves(services.state, given.pipeline)))

    def show(console: Console) -> None:
        if not entries:
            console.print(f"Nothing has served for {given.pipeline} yet.")
            return
        rows = [*((entry.at, _row(entry)) for entry in entries), *((move.looked, _move(move)) for move in moves)]
        rows.sort(key=lambda timed: timed[0], reverse=True)
        tables.show(console, ("at", "what", "version", "candidate", "by", "why"), [row for _, row in rows])

    told = merge((entry.model_dump() for entry in entries), map(_told, moves), key=lambda one: str(one["at"]))
    return Answer(list(told), show)


def _at(services: Services, given: argparse.Namespace) -> Answer:
    moment = _moment(given.at)
    pipelines.load(services.state, given.pipeline)
    entry = history.served_at(services.state, given.pipeline, moment)
    if entry is None:
        said = f"Nothing served for {given.pipeline} at {moment.isoformat()}."
        return Answer({"at": moment.isoformat(), "served": None}, lambda console: console.print(said))
    candidate = candidates.find(services.state, given.pipeline, entry.candidate_id)
    lineage = candidate.lineage if candidate else None
    told = {
        "at": moment.isoformat(),
        "served": entry.model_dump(),
        "lineage": lineage.model_dump() if lineage else None,
    }

    def show(console: Console) -> None:
        console.print(f"At {moment.isoformat()} version {entry.version} of {given.pipeline} served.")
        made = (
            f"{lineage.rows_train:,} rows of {len(lineage.batches)} batches, asked by {lineage.asked_by}"
            if lineage
            else ""
        )
        tables.facts(
            console,
            [
                ("since", f"{tables.when(entry.at)}, {entry.action.replace('_', ' ')} by {entry.by}"),
                ("why", entry.reason),
                ("candidate", entry.candidate_id),
                ("trained on", made),
            ],
        )
        console.print(f"Every file it was made from: ./deploy.sh lineage {given.pipeline} {entry.version}")

    return Answer(told, show)


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ActionRefused(f"--at: expected a time such as 2026-05-01T12:00:00Z. Found {text!r}.") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _steps(moves: Iterator[Canary]) -> Iterator[Canary]:
    """The beginning, the steps and the end of each canary, without the looks in between that changed nothing."""
    before = None
    for move in moves:
        state = move.candidate_id, move.step, move.status
        if state != before:
            yield move
        before = state


def _told(move: Canary) -> dict[str, Any]:
    """A step of a canary in the form of a change of what serves."""
    return {
        "at": move.looked,
        "action": f"canary_{move.status}",
        "candidate_id": move.candidate_id,
        "version": move.version,
        "replaced": None,
        "by": move.by,
        "reason": _why(move),
        "detail": {"share": move.share},
    }


def _why(move: Canary) -> str:
    return " ".join(reason.sentence for reason in move.evidence)


def _move(move: Canary) -> list[tables.Cell]:
    what = f"canary, {move.share} %" if move.baking else f"canary {move.status}"
    return [
        tables.when(move.looked),
        (what, "red" if move.status == "failed" else ""),
        move.version,
        move.candidate_id[:8],
        move.by,
        _why(move),
    ]


def _row(entry: HistoryEntry) -> list[tables.Cell]:
    style = {"published": "green", "rolled_back": "yellow", "stopped": "yellow"}.get(entry.action, "")
    what = (entry.action.replace("_", " "), style)
    return [tables.when(entry.at), what, entry.version, entry.candidate_id[:8], entry.by, entry.reason]
