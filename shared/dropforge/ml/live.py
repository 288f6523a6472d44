"""How good the answers were that callers got, by the labels that came for them later."""

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import pyarrow as pa

from dropforge.contracts.models import Candidate, FieldType, HistoryEntry
from dropforge.contracts.monitoring import BatchScore
from dropforge.contracts.pipeline import Pipeline
from dropforge.core import candidates, history
from dropforge.core.ports import Objects
from dropforge.ml import prequential
from dropforge.ml.rows import LABEL

_ARROW: dict[FieldType, pa.DataType] = {
    "integer": pa.int64(),
    "number": pa.float64(),
    "boolean": pa.bool_(),
    "category": pa.string(),
    "text": pa.string(),
    "timestamp": pa.timestamp("us", "UTC"),
    "date": pa.date32(),
}


def of_part(pipeline: Pipeline, name: str, part: pa.Table, state: Objects) -> list[BatchScore]:
    """The scores of a part of `core.logged.join`, one for each version that answered; `name` is the part's own.

    A version that never served all requests, such as a canary's, has none.
    """
    scores = []
    for version in sorted(set(part["version"].to_pylist())):
        found = served(state, pipeline.pipeline, version)
        if found is not None:
            rows = part.filter(pa.compute.equal(part["version"], version)).to_pylist()
            scores.append(_scored(pipeline, score_id(name, version), rows, *found))
    return scores


def score_id(part: str, version: str) -> str:
    """What the score of a version's answers in a part is known by, as a batch's is by its id."""
    return f"{part}-v{version}"


def served(state: Objects, pipeline: str, version: str) -> tuple[HistoryEntry, Candidate] | None:
    """The last change that made a version serve, and its candidate; None for one that never served all requests."""
    found = None
    for entry in history.entries(state, pipeline):
        if entry.version == version:
            found = entry
    candidate = candidates.find(state, pipeline, found.candidate_id) if found else None
    return (found, candidate) if found and candidate else None


def _scored(
    pipeline: Pipeline, name: str, rows: Sequence[dict[str, Any]], entry: HistoryEntry, candidate: Candidate
) -> BatchScore:
    table = _table(pipeline, rows, candidate)
    outcome = candidate.outcome
    given = np.array([outcome.given(json.loads(row["answer"])) for row in rows], dtype=np.float64)
    order = np.argsort(table[pipeline.main.time].to_numpy(), kind="stable")
    return BatchScore(
        pipeline=pipeline.pipeline,
        batch_id=name,
        candidate_id=candidate.candidate_id,
        version=entry.version,
        served_since=entry.at,
        slices=prequential.of_rows(pipeline, table.take(order), given[order], candidate),
    )


def _table(pipeline: Pipeline, rows: Sequence[dict[str, Any]], candidate: Candidate) -> pa.Table:
    """The instances as rows of the pipeline's columns; what a request did not give is null, a time that of the answer.

    A masked column is null in all rows: slices by it have no rows.
    """
    instances = [json.loads(row["instance"]) for row in rows]
    time = str(pipeline.main.time)
    names = {*(feature.column for feature in pipeline.features), *pipeline.slices, time}
    made = {}
    for name in sorted(names):
        column = pipeline.column(name)
        assert column is not None, "the schema holds features, slices and time to columns"
        values = [value_of(instance.get(name), column.type) for instance in instances]
        if name == time:
            values = [value or row["at"] for value, row in zip(values, rows, strict=True)]
        made[name] = pa.array(values, _ARROW[column.type])
    labels = [json.loads(row["label"]) for row in rows]
    made[LABEL] = pa.array(labels if candidate.task != "binary" else [int(label) for label in labels])
    return pa.table(made)


def value_of(value: Any, kind: FieldType) -> Any:
    """A value of a request, in the type of its column; a time without a zone counts as UTC."""
    if value is None:
        return None
    if kind == "timestamp":
        moment = datetime.fromisoformat(value)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    if kind == "date":
        return date.fromisoformat(value)
    return int(value) if kind == "integer" else float(value) if kind == "number" else value
