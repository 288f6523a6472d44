"""The tables of logged predictions and of labels, as they lie in the state bucket and in BigQuery."""

import io
import json
from collections.abc import Callable, Sequence
from datetime import datetime

import pyarrow as pa
import pyarrow.parquet as pq

from dropforge.contracts.errors import AlreadyExists
from dropforge.contracts.events import GivenLabel, LoggedPrediction
from dropforge.core.ports import Objects

_MOMENT = pa.timestamp("us", "UTC")

# `instance`, `answer` and `label` are JSON: features differ from pipeline to pipeline, and from version to version.
PREDICTIONS = pa.schema(
    [
        ("id", pa.string()),
        ("at", _MOMENT),
        ("version", pa.string()),
        ("candidate_id", pa.string()),
        ("key", pa.string()),
        ("instance", pa.string()),
        ("answer", pa.string()),
    ]
)
LABELS = pa.schema([("id", pa.string()), ("key", pa.string()), ("at", _MOMENT), ("label", pa.string())])
OUTCOMES = PREDICTIONS.append(pa.field("label", pa.string()))


def of_predictions(rows: Sequence[LoggedPrediction]) -> pa.Table:
    """Logged predictions as a table."""
    written = [
        {
            **row.model_dump(exclude={"at", "instance", "answer"}),
            "at": datetime.fromisoformat(row.at),
            "instance": json.dumps(row.instance, ensure_ascii=False),
            "answer": json.dumps(row.answer, ensure_ascii=False),
        }
        for row in rows
    ]
    return pa.Table.from_pylist(written, PREDICTIONS)


def of_labels(rows: Sequence[GivenLabel], at: datetime) -> pa.Table:
    """Given labels as a table."""
    written = [{"id": row.id, "key": row.key, "at": at, "label": json.dumps(row.label)} for row in rows]
    return pa.Table.from_pylist(written, LABELS)


def write_once(state: Objects, place: str, table: pa.Table) -> bool:
    """Write a table where none is; returns whether it was this call that did."""
    content = io.BytesIO()
    pq.write_table(table, content)
    try:
        state.create(place, content.getvalue())
    except AlreadyExists:
        return False
    return True


def read(state: Objects, place: str) -> pa.Table:
    """A table that was written. Raises NotFound."""
    return pq.read_table(io.BytesIO(state.read(place)[0]))


Read = Callable[[Objects, str], pa.Table]


class Remembered:
    """`read`, but once: what is written once stays as it is. For the life of a process, which has one bucket."""

    def __init__(self, most: int = 2_000) -> None:
        self._known: dict[str, pa.Table] = {}
        self._most = most

    def __call__(self, state: Objects, place: str) -> pa.Table:
        """The table. Raises NotFound."""
        if place not in self._known:
            self._known[place] = read(state, place)
            if len(self._known) > self._most:
                del self._known[next(iter(self._known))]
        return self._known[place]


def read_all(state: Objects, prefix: str, schema: pa.Schema, reading: Read = read) -> pa.Table:
    """Every table below a prefix as one, in order of their names."""
    found = [reading(state, info.name) for info in state.list(prefix)]
    return pa.concat_tables([schema.empty_table(), *found])
