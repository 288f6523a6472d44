"""Predictions and labels of one partition held against each other: what is new becomes a part, written once.

The parts are numbered, and a prediction is in one of them at most. Which labels are new follows from the objects alone,
so that deliveries may be repeated and come in any order; of two joins at once, one writes the next part, and the other
begins anew with it.
"""

from typing import Any

import pyarrow as pa

from dropforge.contracts import logged
from dropforge.contracts.errors import GenerationMismatch
from dropforge.core.logged import tables
from dropforge.core.logged.tables import Read
from dropforge.core.ports import Objects

_ATTEMPTS = 5


def join(state: Objects, pipeline: str, partition: str, read: Read = tables.read) -> list[tuple[str, pa.Table]]:
    """Write what is new as a part; returns every part of the partition, each with its number as text.

    Of several labels for one prediction the first to come counts, by the time at which it was given.

    Raises:
        GenerationMismatch: others wrote parts again and again meanwhile.
    """
    for _ in range(_ATTEMPTS):
        prefix = logged.joined(pipeline, partition)
        places = [info.name for info in state.list(prefix)]
        parts = [(place[len(prefix) :].removesuffix(".parquet"), read(state, place)) for place in places]
        known = {found for _, part in parts for found in part["id"].to_pylist()}
        new = _new(state, pipeline, partition, known, read)
        if not new.num_rows:
            return parts
        number = f"{len(parts) + 1:06d}"
        if tables.write_once(state, logged.joined(pipeline, partition, number), new):
            return [*parts, (number, new)]
    raise GenerationMismatch(f"Parts of {pipeline}/{partition} were written by others {_ATTEMPTS} times.")


def _new(state: Objects, pipeline: str, partition: str, known: set[str], read: Read) -> pa.Table:
    labels = tables.read_all(state, logged.labels(pipeline, partition), tables.LABELS, read).sort_by("at").to_pylist()
    by_id: dict[str, str] = {}
    by_key: dict[str, str] = {}
    for label in labels:
        names, name = (by_id, label["id"]) if label["id"] else (by_key, label["key"])
        names.setdefault(name, label["label"])
    found: dict[str, dict[str, Any]] = {}
    given = tables.read_all(state, logged.predictions(pipeline, partition), tables.PREDICTIONS, read)
    fresh = pa.array([identity not in known for identity in given["id"].to_pylist()], pa.bool_())
    for row in given.filter(fresh).to_pylist():
        said = by_id.get(row["id"], by_key.get(row["key"] or ""))
        if said is not None:
            found.setdefault(row["id"], {**row, "label": said})
    return pa.Table.from_pylist(sorted(found.values(), key=lambda row: (row["at"], row["id"])), tables.OUTCOMES)
