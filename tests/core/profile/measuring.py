"""Profile rows given as Python values."""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from dropforge.contracts.batch import Batch, Source
from dropforge.contracts.pipeline import Column, Table
from dropforge.contracts.profile import Profile
from dropforge.contracts.verdicts import Staged
from dropforge.core import engine
from dropforge.core.profile import measure


def profiled(columns: Mapping[str, Sequence[str | None]], table: Table, decimal: str = ".") -> Profile:
    """The profile of these columns of text."""
    rows = len(next(iter(columns.values())))
    staged = Staged(
        batch=Batch(pipeline="p", table="t", batch_id="b"),
        source=Source(bucket="b", name="p/f", generation=1),
        size_bytes=0,
        format="csv",
        compression="none",
        encoding="utf-8",
        dialect={"decimal": decimal},
        columns=list(columns),
        rows=rows,
        rejected=0,
        content_sha256="",
        pipeline_generation=1,
    )
    with tempfile.TemporaryDirectory() as folder, engine.opened(Path(folder)) as database:
        path = Path(folder) / "rows.parquet"
        typed = {name: pa.array(values, pa.string()) for name, values in columns.items()}
        numbers = {"_row": pa.array(range(rows), pa.int64()), "_line": pa.array(range(rows), pa.int64())}
        pq.write_table(pa.table(typed | numbers), path)
        return measure(database, staged, table, path)


def table_of(**types: str) -> Table:
    """A table whose first column is its key."""
    columns = {name: Column.model_validate({"type": kind, "required": True}) for name, kind in types.items()}
    return Table(columns=columns, key=[next(iter(types))])
