"""The load history: read from staged records and verdicts, and written as Parquet for the warehouse."""

import tempfile
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from types import NoneType, UnionType
from typing import get_args

from dropforge.contracts import places
from dropforge.contracts.errors import AlreadyExists
from dropforge.contracts.loads import Load
from dropforge.contracts.verdicts import BatchVerdict, Staged
from dropforge.core import engine, ledger
from dropforge.core.engine import identifier, text
from dropforge.core.ports import Objects
from dropforge.core.state import load

SQL_TYPES = {"int": "BIGINT", "float": "DOUBLE", "str": "VARCHAR"}
TIMES = ("staged_at", "decided_at")


def newest(state: Objects, pipeline: str, table: str | None = None, limit: int = 50) -> list[Load]:
    """The loads that were decided last, the newest first."""
    lines = sorted(ledger.lines(state, pipeline, table), key=lambda one: (one.decided, one.batch.batch_id))
    found = []
    for line in reversed(lines[-limit:] if limit else lines):
        verdict = load(state, places.batch_verdict(line.batch), BatchVerdict)
        if verdict is not None and (told := of(verdict[0], state)):
            found.append(told)
    return found


def of(verdict: BatchVerdict, state: Objects) -> Load | None:
    """The load that a verdict is about; None where its staged record is gone."""
    found = load(state, places.staged_record(verdict.batch), Staged)
    if found is None:
        return None
    staged = found[0]
    staged_at = state.stat(places.staged_record(verdict.batch)).updated
    decided_at = state.stat(places.batch_verdict(verdict.batch)).updated
    first = verdict.first_error
    whole = verdict.reasons[0] if verdict.reasons and first is None else None
    return Load(
        **verdict.batch.model_dump(),
        source=verdict.source.uri,
        source_generation=verdict.source.generation,
        **staged.model_dump(include={"size_bytes", "format", "compression", "encoding"}),
        rows_parsed=staged.rows + staged.rejected,
        rows_accepted=verdict.rows_accepted,
        rows_quarantined=verdict.rows_quarantined,
        status=verdict.status,
        first_error_code=first.code if first else whole.code if whole else None,
        first_error_line=first.line if first else None,
        first_error_column=first.column if first else None,
        first_error=first.sentence if first else whole.sentence if whole else None,
        replay_of=verdict.replay.of if verdict.replay else None,
        pipeline_generation=verdict.pipeline_generation,
        brought_by=staged.by or None,
        staged_at=staged_at,
        decided_at=decided_at,
        seconds=_between(staged_at, decided_at),
    )


def write(verdict: BatchVerdict, state: Objects) -> str | None:
    """Ensure the load's Parquet object; returns its URI, or None where there is nothing to tell of."""
    place = places.load_record(verdict.batch)
    told = of(verdict, state)
    if told is None:
        return None
    with tempfile.TemporaryDirectory(prefix="dropforge-load-") as folder:
        path = Path(folder) / "load.parquet"
        with engine.opened(Path(folder)) as database:
            database.execute(f"COPY ({_row(told)}) TO {text(str(path))} (FORMAT parquet)")
        with suppress(AlreadyExists):  # an earlier delivery wrote it, and its word stands
            state.create(place, path)
    return f"gs://{state.bucket}/{place}"


def _row(told: Load) -> str:
    """SQL: one row, every column of which may be null, so that all batches have one schema."""
    values = []
    for name, declared in Load.__annotations__.items():
        kind = "TIMESTAMPTZ" if name in TIMES else SQL_TYPES[_plain(declared)]
        given = getattr(told, name)
        said = "NULL" if given is None or given == "" else text(str(given))
        values.append(f"CASE WHEN n >= 0 THEN CAST({said} AS {kind}) END AS {identifier(name)}")
    return f"SELECT {', '.join(values)} FROM range(1) AS one(n)"


def _plain(declared: type | UnionType) -> str:
    """The name of a field's type, without its `| None`."""
    kinds = [kind for kind in get_args(declared) if kind is not NoneType] or [declared]
    return str(kinds[0].__name__)


def _between(first: str, last: str) -> float:
    if not first or not last:
        return 0.0
    return round((datetime.fromisoformat(last) - datetime.fromisoformat(first)).total_seconds(), 3)
