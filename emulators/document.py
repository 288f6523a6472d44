"""`python -m emulators.document` writes the tables of docs/emulators.md: every method, done, differing, or not there.

They come from what the emulators themselves go by, so the document cannot promise what is not there; a test compares.
"""

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from emulators.bigquery import methods as bigquery
from emulators.pubsub import methods as pubsub
from emulators.router import methods as router
from emulators.storage import methods as storage
from emulators.vertex import methods as vertex

PATH = Path(__file__).parent.parent / "docs" / "emulators.md"
BEGIN = "<!-- Below: made by `python -m emulators.document` -->"


class Row(NamedTuple):
    """One method: the resource or service it belongs to, its own name, its status, and the reason for that."""

    group: str
    name: str
    status: str
    reason: str


def document(present: str) -> str:
    """The text of the document with its tables as they must be now.

    Raises:
        ValueError: `present` has no line that says where they begin.
    """
    written, found, _ = present.partition(BEGIN)
    if not found:
        raise ValueError(f"Expected the line {BEGIN!r} in {PATH}. Found none.")
    return f"{written}{BEGIN}\n\n{tables()}"


def tables() -> str:
    """A section with a table for each emulator."""
    sections = {
        "Cloud Storage, JSON API": [_dotted(each.name, each.status, each.reason) for each in storage.METHODS],
        "Cloud Storage, XML API": [
            Row(each.path.partition("?")[0] or "the service", f"{each.verb} ({each.name})", each.status, each.reason)
            for each in storage.XML_METHODS
        ],
        "Pub/Sub": [Row(_short(each.service), each.name, each.status, each.reason) for each in pubsub.METHODS],
        "BigQuery": [_dotted(name, *said) for name, said in bigquery.statuses().items()],
        "Vertex AI": [_dotted(each.name, each.status, each.reason) for each in vertex.methods()],
        "Eventarc, Cloud Run and Cloud Scheduler": [Row(*each) for each in router.BEHAVIOURS],
    }
    return "\n".join(_section(title, rows) for title, rows in sections.items())


def _dotted(name: str, status: str, reason: str) -> Row:
    service_and_group, _, own = name.rpartition(".")
    return Row(service_and_group.partition(".")[2], own, status, reason)


def _short(service: str) -> str:
    return service.rpartition(".")[2]


def _section(title: str, rows: list[Row]) -> str:
    count = {status: sum(row.status == status for row in rows) for status in ("done", "differs", "absent")}
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        groups[row.group].append(row)
    lines = [
        f"### {title}",
        "",
        f"{count['done']} done, {count['differs']} differ on purpose, {count['absent']} not.",
        "",
        "| | Done | Differs on purpose | Not |",
        "|---|---|---|---|",
        *(_line(group, members) for group, members in groups.items()),
    ]
    return "\n".join(lines) + "\n"


def _line(group: str, rows: list[Row]) -> str:
    cells = (_cell(row for row in rows if row.status == status) for status in ("done", "differs", "absent"))
    return f"| {group} | " + " | ".join(cells) + " |"


def _cell(rows: Iterable[Row]) -> str:
    """Names by reason: those of the same one stand together before it."""
    by_reason: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        by_reason[row.reason].append(row.name)
    told = (", ".join(names) + (f": {reason}" if reason else "") for reason, names in by_reason.items())
    return "; ".join(told).replace("|", "\\|")


if __name__ == "__main__":
    PATH.write_text(document(PATH.read_text()))
