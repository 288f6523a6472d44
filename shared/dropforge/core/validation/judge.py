"""Hold every row of a staged batch to its table's rules, in SQL over Parquet: memory does not grow with the batch."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

import duckdb

from dropforge.contracts.pipeline import Table
from dropforge.contracts.verdicts import Reason, Staged
from dropforge.core import engine
from dropforge.core.engine import text
from dropforge.core.validation import columns, output
from dropforge.core.validation.batch import batch_reasons

MEMORY_MB = 700
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass
class Judged:
    """What became of the rows of a batch: `refusals` of the batch as a whole, and kinds of `breaches` of its rows."""

    refusals: list[Reason]
    breaches: list[Reason] = field(default_factory=list)
    rows_accepted: int = 0
    rows_quarantined: int = 0
    rows_labelled: int = 0
    first_time: str | None = None
    last_time: str | None = None


@dataclass(frozen=True)
class Files:
    """Parquet in and out, and a folder for scratch. An input may be absent, an output is when it would be empty."""

    rows: Path
    rejects: Path
    accepted: Path
    quarantined: Path
    scratch: Path

    @classmethod
    def within(cls, folder: Path) -> Self:
        """All of them in one folder."""
        rows, rejects, accepted, quarantined = (
            folder / f"{name}.parquet" for name in ("rows", "rejects", "accepted", "quarantined")
        )
        return cls(rows, rejects, accepted, quarantined, folder)


def judge(staged: Staged, table: Table, label: str | None, files: Files) -> Judged:
    """Divide the rows of `staged` between `files.accepted` (typed) and `files.quarantined` (text, with reasons).

    The whole batch is refused, all its rows quarantined, when it breaks a rule of the batch or too many of its rows
    break theirs. `label` names the column whose values make a row count as labelled. Equal inputs give equal files.
    """
    judged = Judged(batch_reasons(staged, table))
    with engine.opened(files.scratch, MEMORY_MB) as database:
        database.execute(f"CREATE TABLE faults (_row BIGINT, reasons {output.REASON}[])")
        if staged.rows and not judged.refusals:
            _judge_rows(database, staged, table, files)
        _count(database, staged, table, judged, files)
        if judged.rows_accepted:
            _accept(database, staged, table, label, judged, files)
        if judged.rows_quarantined:
            database.execute(output.quarantined(staged, judged.refusals, files))
    return judged


def _judge_rows(database: duckdb.DuckDBPyConnection, staged: Staged, table: Table, files: Files) -> None:
    """Fill `faults`, and make the view `typed`."""
    decimal = str(staged.dialect.get("decimal", "."))
    rows = f"read_parquet({text(str(files.rows))})"
    database.execute(f"CREATE VIEW typed AS {columns.typed_view(table, staged.columns, decimal, rows)}")
    found = [breach for name in table.columns for breach in columns.breaches(name, table)]
    found += columns.order_breaches(table)
    if found:
        broken = " OR ".join(breach.condition for breach in found)
        structs = ", ".join(breach.struct() for breach in found)
        database.execute(
            f"INSERT INTO faults SELECT _row, list_filter([{structs}], lambda one: one IS NOT NULL) "
            f"FROM typed WHERE {broken}"
        )
    database.execute(_doubled(table))


def _doubled(table: Table) -> str:
    """SQL: fault every row whose key an earlier row has, among those that broke no rule of their own."""
    keys = ", ".join(columns.value(name) for name in table.key)
    shown = ", ' and ', ".join(f"{text(name + ' ')}, {columns.given(name)}" for name in table.key)
    return (
        f"INSERT INTO faults WITH good AS (SELECT * FROM typed ANTI JOIN faults USING (_row)), "
        f"firsts AS (SELECT {keys}, min(_row) AS first_row, arg_min(_line, _row) AS first_line FROM good "
        f"GROUP BY {keys} HAVING count(*) > 1) "
        f"SELECT _row, [{{'code': 'duplicate_key', 'column': {text(', '.join(table.key))}, "
        f"'value': concat({shown}), 'sentence': concat({columns.WHERE}, ': the key (', {shown}, "
        f"') must be unique. ', coalesce('Line ' || first_line, 'Row ' || first_row), ' has it too.')}}] "
        f"FROM good JOIN firsts USING ({keys}) WHERE _row > first_row"
    )


def _count(database: duckdb.DuckDBPyConnection, staged: Staged, table: Table, judged: Judged, files: Files) -> None:
    read = staged.rows + staged.rejected
    faults = _one(database, "SELECT count(*) FROM faults")[0]
    bad = faults + staged.rejected
    judged.breaches = output.summary(database, staged, files) if bad else []
    if not judged.refusals and bad and (bad > table.max_bad_share * read or bad == read):
        judged.refusals = [_too_many(staged, table, bad, read, judged.breaches)]
    judged.rows_accepted = 0 if judged.refusals else read - bad
    judged.rows_quarantined = read - judged.rows_accepted


def _too_many(staged: Staged, table: Table, bad: int, read: int, why: list[Reason]) -> Reason:
    return Reason(
        code="too_many_bad_rows",
        subject=staged.source.uri,
        observed=bad / read,
        expected=table.max_bad_share,
        sentence=(
            f"{bad:,} of {read:,} rows ({bad / read:.1%}) break a rule; {table.max_bad_share:.1%} may. "
            f"Most often: {why[0].sentence}"
        ),
    )


def _accept(
    database: duckdb.DuckDBPyConnection,
    staged: Staged,
    table: Table,
    label: str | None,
    judged: Judged,
    files: Files,
) -> None:
    database.execute(output.accepted(staged, table, files))
    labelled = f"count({engine.identifier(label)})" if label else "0"
    time = f"CAST({engine.identifier(table.time)} AS TIMESTAMPTZ)" if table.time else "NULL::TIMESTAMPTZ"
    judged.rows_labelled, first, last = _one(
        database,
        f"SELECT {labelled}, epoch_us(min({time})), epoch_us(max({time})) "
        f"FROM read_parquet({text(str(files.accepted))})",
    )
    judged.first_time, judged.last_time = _iso(first), _iso(last)


def _iso(microseconds: int | None) -> str | None:
    return None if microseconds is None else (EPOCH + timedelta(microseconds=microseconds)).isoformat()


def _one(database: duckdb.DuckDBPyConnection, query: str) -> tuple[Any, ...]:
    row = database.execute(query).fetchone()
    if row is None:
        raise AssertionError(f"A query over all rows gave no row: {query}")
    return tuple(row)
