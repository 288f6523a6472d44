"""What a sample holds, column by column: read as any dropped file is, and typed by the rules that rows are held to."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
from pydantic import TypeAdapter, ValidationError

from dropforge.contracts.batch import Batch, Source
from dropforge.contracts.errors import FileUnreadable
from dropforge.contracts.models import FieldType
from dropforge.contracts.pipeline import Column, Table
from dropforge.contracts.pipeline.table import ColumnName
from dropforge.contracts.verdicts import Staged
from dropforge.core import engine, reading
from dropforge.core.engine import identifier, text
from dropforge.core.validation import Files, columns

TRIED: tuple[FieldType, ...] = ("integer", "number", "date", "timestamp", "boolean")
MARKERS = ("NA", "N/A", "n/a", "NaN", "nan", "NULL", "null", "None", "none", "?", "-", "#N/A", "\\N")
TOP = 12  # values of a column that are looked at one by one
_NAME = TypeAdapter(ColumnName)


@dataclass
class Seen:
    """One column of the sample. Counts are of rows; `fits` says how many values can be read as each type."""

    name: str
    values: int
    distinct: int
    longest: int
    words: float  # on average
    leading_zeros: int
    fits: dict[FieldType, int]
    low: float | None
    high: float | None
    nearly_high: float | None  # 999 of 1,000 values are at most this
    clock: int  # values that can be a time of day such as 1435
    top: list[tuple[str, int]] = field(default_factory=list)


@dataclass
class Sample:
    """A sample as it was read. `unnamed` are columns whose name no table can have."""

    staged: Staged
    columns: dict[str, Seen]
    unnamed: list[str]
    markers: list[str]
    database: duckdb.DuckDBPyConnection
    files: Files

    @property
    def rows(self) -> int:
        """Rows that could be read."""
        return self.staged.rows

    @property
    def missing(self) -> dict[str, int]:
        """Rows without a value, for each column."""
        return {name: self.rows - seen.values for name, seen in self.columns.items()}

    def distinct(self, names: list[str]) -> int:
        """How many different rows these columns make."""
        struct = ", ".join(identifier(name) for name in names)
        return self._number(f"SELECT count(*) FROM (SELECT DISTINCT {struct} FROM sample)")

    def both_missing(self, first: str, second: str) -> tuple[int, int]:
        """In how many rows both columns have no value, and in how many at least one has none."""
        one, other = (f"{given(name, self.markers)} IS NULL" for name in (first, second))
        return (
            self._number(f"SELECT count(*) FROM sample WHERE {one} AND {other}"),
            self._number(f"SELECT count(*) FROM sample WHERE {one} OR {other}"),
        )

    def quantile(self, name: str, share: float) -> float:
        """The value below which this share of a column of numbers lies."""
        return float(self._one(f"SELECT quantile_cont(TRY_CAST({identifier(name)} AS DOUBLE), {share}) FROM sample")[0])

    def share_up_to(self, name: str, limit: float) -> float:
        """Which share of the values of a column of numbers are at most `limit`."""
        return float(
            self._one(f"SELECT avg((TRY_CAST({identifier(name)} AS DOUBLE) <= {limit!r})::INT) FROM sample")[0]
        )

    def days(self, name: str) -> int:
        """How many days a column of times covers."""
        cast = f"TRY_CAST({identifier(name)} AS TIMESTAMPTZ)"
        return self._number(f"SELECT date_diff('day', min({cast}), max({cast})) + 1 FROM sample")

    def _number(self, query: str) -> int:
        return int(self._one(query)[0])

    def _one(self, query: str) -> tuple[Any, ...]:
        return tuple(self.database.execute(query).fetchone() or ())


@contextmanager
def read(path: Path) -> Iterator[Sample]:
    """Read a sample and look at every column; files and database are gone afterwards.

    Raises:
        FileUnreadable: it is no table, has no rows, or no header.
    """
    with TemporaryDirectory(prefix="dropforge-draft-") as scratch, engine.opened(Path(scratch), 1024) as database:
        files = Files.within(Path(scratch))
        found = reading.read(path, [], files.rows, files.rejects, files.scratch)
        if found.problem is not None:
            raise found.problem
        if not found.rows:
            raise FileUnreadable(f"{path} has no rows. A draft needs some to look at.", code="no_rows")
        database.execute(f"CREATE VIEW sample AS SELECT * FROM read_parquet({text(str(files.rows))})")
        named = [name for name in found.columns if _can_be_named(name)]
        markers = _markers(database, named)
        sample = Sample(
            staged=_staged(path, found),
            columns={name: _seen(database, name, markers, found.rows) for name in named},
            unnamed=[name for name in found.columns if name not in named],
            markers=markers,
            database=database,
            files=files,
        )
        _refuse_headless(path, sample, found.columns)
        _type(sample)
        yield sample


def given(name: str, markers: list[str]) -> str:
    """SQL: the column's text, null where it is a marker of no value."""
    listed = ", ".join(text(marker) for marker in markers)
    return (
        f"CASE WHEN {identifier(name)} NOT IN ({listed}) THEN {identifier(name)} END" if markers else identifier(name)
    )


def _can_be_named(name: str) -> bool:
    try:
        _NAME.validate_python(name)
    except ValidationError:
        return False
    return True


def _markers(database: duckdb.DuckDBPyConnection, names: list[str]) -> list[str]:
    """The usual texts for no value that stand in some column."""
    listed = ", ".join(text(marker) for marker in MARKERS)
    found: set[str] = set()
    for name in names:
        query = f"SELECT DISTINCT {identifier(name)} FROM sample WHERE {identifier(name)} IN ({listed})"
        found |= {row[0] for row in database.execute(query).fetchall()}
    return sorted(found)


def _seen(database: duckdb.DuckDBPyConnection, name: str, markers: list[str], rows: int) -> Seen:
    one = given(name, markers)
    values, distinct, longest, words, zeros, clock = database.execute(
        f"SELECT count(v), count(DISTINCT v), max(length(v)), avg(length(v) - length(replace(v, ' ', '')) + 1), "
        f"count(*) FILTER (regexp_full_match(v, '0\\d+')), "
        f"count(*) FILTER (TRY_CAST(v AS INTEGER) BETWEEN 0 AND 2400 AND TRY_CAST(v AS INTEGER) % 100 < 60) "
        f"FROM (SELECT {one} AS v FROM sample)"
    ).fetchall()[0]
    top = []
    if distinct <= max(TOP, rows // 20):
        top = database.execute(
            f"SELECT v, count(*) FROM (SELECT {one} AS v FROM sample) WHERE v IS NOT NULL GROUP BY v "
            f"ORDER BY count(*) DESC, v LIMIT {TOP}"
        ).fetchall()
    return Seen(name, values, distinct, longest or 0, words or 0.0, zeros, {}, None, None, None, clock, top)


def _type(sample: Sample) -> None:
    """Count for each type how many values can be read as it, by the very rules that rows are held to."""
    names = list(sample.columns)
    for kind in TRIED:
        table = Table(
            columns={name: Column(type=kind, required=name == names[0]) for name in names},
            key=[names[0]],
            null_markers=sample.markers,
        )
        decimal = str(sample.staged.dialect.get("decimal", "."))
        view = columns.typed_view(table, sample.staged.columns, decimal, "sample")
        counted = ", ".join(f"count({columns.value(name)})" for name in names)
        limits = "".join(f", {one}" for name in names if kind == "number" for one in _limits(columns.value(name)))
        row = sample.database.execute(f"SELECT {counted}{limits} FROM ({view})").fetchall()[0]
        for at, name in enumerate(names):
            sample.columns[name].fits[kind] = row[at]
            if kind == "number":
                seen, start = sample.columns[name], len(names) + 3 * at
                seen.low, seen.high, seen.nearly_high = row[start : start + 3]


def _limits(value: str) -> tuple[str, str, str]:
    return f"min({value})", f"max({value})", f"quantile_cont({value}, 0.999)"


def _refuse_headless(path: Path, sample: Sample, names: list[str]) -> None:
    """A first line whose entries stand below it too, or are sentences, holds values and not names."""
    repeated = [name for name, seen in sample.columns.items() if name in {value for value, _ in seen.top}]
    if repeated or not sample.columns:
        shown = ", ".join(repr(name[:30]) for name in names[:3])
        raise FileUnreadable(
            f"{path.name} seems to have no header: its first line, {shown}, looks like values. Expected names of "
            f"columns there, letters, digits and underscores only. Add such a line, with {len(names)} names, to every "
            "file that is dropped.",
            code="no_header",
        )


def _staged(path: Path, found: reading.Reading) -> Staged:
    source = Source(bucket="sample", name=path.name, generation=0)
    return Staged(
        batch=Batch(pipeline="sample", table="sample", batch_id=source.batch_id),
        source=source,
        size_bytes=path.stat().st_size,
        format=found.format,
        compression=found.compression,
        encoding=found.encoding,
        dialect=found.dialect,
        columns=found.columns,
        rows=found.rows,
        rejected=found.rejected,
        content_sha256=found.content_sha256,
        pipeline_generation=0,
    )
