"""Hold every row of a staged batch to its table's rules, in SQL over Parquet: memory does not grow with the batch."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

import duckdb

from dropforge.contracts.pipeline import Table
from dropforge.contracts.verdicts import Reason, RowError, Staged
from dropforge.core import engine
from dropforge.core.engine import text
from dropforge.core.validation import columns, evolution, keys, output, whole
from dropforge.core.validation.batch import batch_reasons
from dropforge.core.validation.keys import Earlier
from dropforge.core.validation.references import References, make_references

MEMORY_MB = 320  # with the rest of a process it stays below 512 MB
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
    first_error: RowError | None = None
    misfit: list[str] = field(default_factory=list)  # columns with values of another type, which `evolve` lets in


@dataclass(frozen=True)
class Files:
    """Parquet in and out, and a folder for scratch. An input may be absent, an output is when it would be empty.

    `earlier` are the accepted rows of the same dropped file, when it is judged again.
    """

    rows: Path
    rejects: Path
    accepted: Path
    quarantined: Path
    scratch: Path
    earlier: list[Path] = field(default_factory=list)

    @classmethod
    def within(cls, folder: Path) -> Self:
        """All of them in one folder."""
        rows, rejects, accepted, quarantined = (
            folder / f"{name}.parquet" for name in ("rows", "rejects", "accepted", "quarantined")
        )
        return cls(rows, rejects, accepted, quarantined, folder)


def judge(
    staged: Staged,
    table: Table,
    label: str | None,
    files: Files,
    alarm: Sequence[Reason] = (),
    earlier: Earlier | None = None,
    references: References | None = None,
    arrived: str = "",
) -> Judged:
    """Divide the rows of `staged` between `files.accepted` (typed) and `files.quarantined` (text, with reasons).

    The whole batch is refused, all its rows quarantined, when it breaks a rule of the batch or too many of its rows
    break theirs, or when there is an `alarm`, which says why. `label` names the column whose values make a row count as
    labelled. `earlier` gives accepted rows whose keys must not come again; a row that repeats one is quarantined, but
    does not count among the bad ones that refuse a batch. `references` gives the rows of tables that columns reference.
    `arrived` is when the file came, ISO 8601. Equal inputs give equal files.
    """
    judged = Judged(batch_reasons(staged, table))
    try:
        with engine.opened(files.scratch, MEMORY_MB) as database:
            _judge(database, staged, table, label, judged, files, alarm, earlier, references, arrived)
    except duckdb.OutOfMemoryException as error:
        judged = _given_up(staged, files, error)
    return judged


def _judge(
    database: duckdb.DuckDBPyConnection,
    staged: Staged,
    table: Table,
    label: str | None,
    judged: Judged,
    files: Files,
    alarm: Sequence[Reason],
    earlier: Earlier | None,
    references: References | None,
    arrived: str,
) -> None:
    database.execute(f"CREATE TABLE faults (_row BIGINT, reasons {output.REASON}[])")
    if staged.rows and not judged.refusals:
        _judge_rows(database, staged, table, files, earlier, references)
        judged.refusals = whole.reasons(database, staged, table, arrived)
    _count(database, staged, table, judged, files, alarm)
    if judged.rows_accepted:
        _accept(database, staged, table, label, judged, files)
    if judged.rows_quarantined:
        database.execute(output.quarantined(staged, judged.refusals, files))


def _given_up(staged: Staged, files: Files, error: duckdb.OutOfMemoryException) -> Judged:
    """A batch that does not fit is refused whole: to be delivered again would only fail again.

    Its rows are written down without their values, which need the memory, and lie staged.
    """
    refusal = Reason(
        code="out_of_memory",
        subject=staged.source.uri,
        observed=str(error).partition("\n")[0],
        expected=f"a batch that {MEMORY_MB} MB can judge",
        sentence=(
            f"Its {staged.rows:,} rows of {len(staged.columns)} columns need more memory to be judged than there is. "
            "Drop it in smaller files, or with shorter values."
        ),
    )
    files.accepted.unlink(missing_ok=True)
    files.quarantined.unlink(missing_ok=True)
    with engine.opened(files.scratch) as database:
        database.execute(output.given_up(staged, refusal, files))
    return Judged([refusal], rows_quarantined=staged.rows + staged.rejected)


def _judge_rows(
    database: duckdb.DuckDBPyConnection,
    staged: Staged,
    table: Table,
    files: Files,
    earlier: Earlier | None,
    references: References | None,
) -> None:
    """Fill `faults`, and make the view `typed`."""
    make_references(database, table, references)
    decimal = str(staged.dialect.get("decimal", "."))
    rows = f"read_parquet({text(str(files.rows))})"
    database.execute(f"CREATE VIEW typed AS {columns.typed_view(table, staged.columns, decimal, rows)}")
    found = [breach for name in table.columns for breach in columns.breaches(name, table, staged.columns)]
    found += [*columns.order_breaches(table), *columns.period_breaches(table, staged.source.name)]
    if found:
        broken = " OR ".join(breach.condition for breach in found)
        structs = ", ".join(breach.struct() for breach in found)
        database.execute(
            f"INSERT INTO faults SELECT _row, list_filter([{structs}], lambda one: one IS NOT NULL) "
            f"FROM typed WHERE {broken}"
        )
    if files.earlier:
        keys.fault_accepted(database, table, files.earlier)
    keys.fault_doubled(database, table)
    if earlier is not None:
        keys.fault_repeated(database, table, earlier)


def _count(
    database: duckdb.DuckDBPyConnection,
    staged: Staged,
    table: Table,
    judged: Judged,
    files: Files,
    alarm: Sequence[Reason],
) -> None:
    read = staged.rows + staged.rejected
    faults, repeated = _one(
        database, f"SELECT count(*), count(*) FILTER (reasons[1].code = {text(keys.REPEATED)}) FROM faults"
    )
    bad = faults + staged.rejected
    # Which file has a key first must not depend on the order of judging, so a repeated key refuses no other row.
    broken = bad - repeated
    judged.breaches = output.summary(database, staged, files) if bad else []
    judged.first_error = output.first_error(database, staged, files) if bad else None
    # A replay is held to the share of the whole file: what is left of it is bad rows for the most part.
    among = staged.replay.origin_rows if staged.replay else read
    may = 1.0 if staged.replay and staged.replay.release else table.max_bad_share
    if not judged.refusals and bad and (broken > may * among or bad == read):
        judged.refusals = [_too_many(staged, may, bad if bad == read else broken, read, among, judged.breaches)]
    judged.refusals = judged.refusals or list(alarm)
    judged.rows_accepted = 0 if judged.refusals else read - bad
    judged.rows_quarantined = read - judged.rows_accepted


def _too_many(staged: Staged, may: float, bad: int, read: int, among: int, why: list[Reason]) -> Reason:
    said = f"{bad:,} of {among:,} rows ({bad / among:.1%}) break a rule; {may:.1%} may."
    if bad == read:
        said = "The only row breaks a rule." if read == 1 else f"All {read:,} rows break a rule."
    return Reason(
        code="too_many_bad_rows",
        subject=staged.source.uri,
        observed=bad / among,
        expected=may,
        sentence=f"{said} Most often: {why[0].sentence}",
    )


def _accept(
    database: duckdb.DuckDBPyConnection,
    staged: Staged,
    table: Table,
    label: str | None,
    judged: Judged,
    files: Files,
) -> None:
    judged.misfit = evolution.changed(database, table)
    database.execute(output.accepted(staged, table, judged.misfit, files))
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
