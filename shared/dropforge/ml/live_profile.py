"""Rows as a model gets them, profiled like a dropped file: of training, and of live requests, by one measure."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from dropforge.contracts.batch import Batch, Source
from dropforge.contracts.models import Candidate
from dropforge.contracts.pipeline import Column, Pipeline, Table
from dropforge.contracts.profile import Profile
from dropforge.contracts.verdicts import Staged
from dropforge.core import engine
from dropforge.core.profile import measure

ANSWER = "answer"


def features(pipeline: Pipeline) -> dict[str, Column]:
    """The columns that a request gives and the log keeps; masked ones are not known of live rows."""
    found = {}
    for feature in pipeline.features:
        column = pipeline.column(feature.column)
        assert column is not None, "the schema holds features to columns"
        if feature.column not in pipeline.logging.masked:
            found[feature.column] = Column(type=column.type, unit=column.unit)
    return found


def answered(candidate: Candidate) -> dict[str, Column]:
    """The answer as a column: the class, or the number that was given."""
    return {ANSWER: Column(type="category" if candidate.task == "multiclass" else "number")}


def answer_of(candidate: Candidate, answer: Mapping[str, Any]) -> Any:
    """The value of that column in one answer."""
    return answer["class"] if candidate.task == "multiclass" else candidate.outcome.given(answer)


def profile(pipeline: Pipeline, columns: Mapping[str, Column], rows: Sequence[Mapping[str, Any]]) -> Profile:
    """The profile of these columns of typed rows. Without their time: days are compared, whenever they were."""
    table = pa.table({name: pa.array([_text(row.get(name)) for row in rows], pa.string()) for name in columns})
    alike = pipeline.main.model_copy(update={"columns": dict(columns), "key": [], "time": None})
    with TemporaryDirectory() as folder:
        file = Path(folder) / "rows.parquet"
        numbers = pa.array(range(len(rows)), pa.int64())
        pq.write_table(table.append_column("_row", numbers).append_column("_line", numbers), file)
        with engine.opened(Path(folder)) as database:
            return measure(database, _staged(pipeline, alike, len(rows)), alike, file)


def _staged(pipeline: Pipeline, table: Table, rows: int) -> Staged:
    """What `measure` asks of a file, said of rows that no file brought."""
    return Staged(
        batch=Batch(pipeline=pipeline.pipeline, table=pipeline.table, batch_id="live"),
        source=Source(bucket="", name="", generation=0),
        size_bytes=0,
        format="parquet",
        compression="none",
        encoding="utf-8",
        columns=list(table.columns),
        rows=rows,
        rejected=0,
        content_sha256="",
        pipeline_generation=0,
    )


def _text(value: Any) -> str | None:
    """A value as it would stand in a file; equal values in one form, whichever way a caller wrote them."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).lower()
    return value.isoformat() if isinstance(value, datetime | date) else repr(value)
