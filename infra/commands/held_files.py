"""What is told of a file in quarantine: as data for machines, and as a table or lines for people."""

from typing import Any

from rich.console import Console
from rich.table import Table

from dropforge.contracts import examination, places
from dropforge.contracts.verdicts import BatchVerdict
from dropforge.core.ports import Objects
from dropforge.core.quarantine import Held, Link
from dropforge.core.state import load
from infra.commands.command import plain

COUNTS = ("read", "accepted", "quarantined", "discarded")


def told(file: Held, state: Objects) -> dict[str, Any]:
    """Everything about one file, ready for JSON."""
    line = file.origin.line
    return {
        "pipeline": line.batch.pipeline,
        "table": line.batch.table,
        "batch": line.batch.batch_id,
        "source": line.source.uri,
        "source_generation": line.source.generation,
        "state": file.state,
        "rows_read": file.rows_read,
        "rows_accepted": file.rows_accepted,
        "rows_quarantined": file.rows_quarantined,
        "rows_discarded": file.rows_discarded,
        "reconciles": file.reconciles,
        "links": [_link(one, state) for one in file.links],
    }


def _link(one: Link, state: Objects) -> dict[str, Any]:
    found = load(state, places.batch_verdict(one.line.batch), BatchVerdict)
    reasons, causes = (found[0].reasons, examination.causes(found[0])) if found else ([], [])
    return {
        "batch": one.line.batch.batch_id,
        "status": one.line.status,
        "pipeline_generation": one.line.pipeline_generation,
        "rows_read": one.line.rows_read,
        "rows_accepted": one.line.rows_accepted,
        "rows_quarantined": one.line.rows_quarantined,
        "reasons": [reason.sentence for reason in reasons],
        "causes": [cause.sentence for cause in causes],
        "suggestions": [cause.expected for cause in causes if cause.expected is not None],
        "disposition": one.disposition.model_dump(exclude={"batch"}) if one.disposition else None,
    }


def table(console: Console, files: list[dict[str, Any]]) -> None:
    """A file a line; `why` is the cause where one was found, else the first reason."""
    made = Table()
    for name in ("batch", "file", "state", *COUNTS, "why"):
        made.add_column(name, justify="right" if name in COUNTS else "left", no_wrap=name == "batch")
    for one in files:
        last = one["links"][-1]
        counts = [f"{one[f'rows_{name}']:,}" for name in COUNTS]
        marked = one["state"] if one["reconciles"] else "[red]does not reconcile[/]"
        file = one["source"].partition("gs://")[2].partition("/")[2]
        why = (last["causes"] if last["status"] == "quarantined" else []) or last["reasons"]
        made.add_row(one["batch"], plain(file), marked, *counts, plain(why[0]) if why else "")
    console.print(made)


def link(console: Console, one: dict[str, Any]) -> None:
    """One batch of a file: its counts, why, what would undo it, and what was decided."""
    counts = ", ".join(f"{one[f'rows_{name}']:,} {name}" for name in COUNTS[:3])
    console.print(f"[bold]{one['batch']}[/] by the rules {one['pipeline_generation']}: {counts} ({one['status']})")
    for sentence in dict.fromkeys([*one["causes"], *one["reasons"]]):
        console.print(f"    {plain(sentence)}")
    for suggestion in dict.fromkeys(one["suggestions"]):
        console.print(f"    in pipeline.yaml: [green]{plain(suggestion)}[/]", soft_wrap=True)
    if one["disposition"]:
        said = one["disposition"]
        why = f": {said['reason']}" if said["reason"] else ""
        console.print(f"  {plain(said['action'])} by {plain(said['by'])} at {said['at']}{plain(why)}")
