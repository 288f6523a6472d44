"""The rows that a table of answers is made for: those of the newest days."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from dropforge.contracts.pipeline import Pipeline
from dropforge.core import dataset, ledger
from dropforge.core.ports import Objects

ROWS_AT_ONCE = 10_000


def blocks(pipeline: Pipeline, state: Objects) -> Iterator[list[dict[str, Any]]]:
    """The accepted rows of the newest `serving.days`, with their joins, in the order of time, some at once."""
    lines = list(ledger.lines(state, pipeline.pipeline))
    ends = [line.last_time for line in lines if line.accepted and line.batch.table == pipeline.table and line.last_time]
    since = datetime.fromisoformat(max(ends)) - timedelta(days=pipeline.serving.days) if ends else None
    found = dataset.read_rows(pipeline, lines, state, since=since)
    for batch in found.to_batches(max_chunksize=ROWS_AT_ONCE):
        yield batch.to_pylist()
