"""Measure a staged batch. Each column is read once and grouped by its text; all else is done on the distinct texts.

So forms, casts, patterns and lengths cost no more for ten million rows than for the different texts among them, and the
texts are read by the same SQL that judges them.
"""

from pathlib import Path
from typing import Any

import duckdb

from dropforge.contracts.models import FieldType
from dropforge.contracts.pipeline import Column, Table
from dropforge.contracts.profile import (
    HASH_BITS,
    KEPT_DAYS,
    KEPT_HASHES,
    KEPT_PATTERNS,
    KEPT_VALUES,
    Clocked,
    ColumnProfile,
    Numbers,
    Profile,
)
from dropforge.contracts.verdicts import Staged
from dropforge.core.engine import identifier, text
from dropforge.core.profile import points
from dropforge.core.profile.drawing import drawn
from dropforge.core.validation import columns

CLASSES = {
    "upper": "regexp_matches(given, '[A-Z]')",
    "lower": "regexp_matches(given, '[a-z]')",
    "digit": "regexp_matches(given, '[0-9]')",
    "padded": "given <> trim(given, ' \t')",
    "foreign": "regexp_matches(given, '[^\\x00-\\x7F]')",
    # UTF-8 read as Latin-1 or Windows-1252 shows these pairs; what cannot be decoded at all shows U+FFFD.
    "mojibake": "regexp_matches(given, '[\u00c2\u00c3][\\x{80}-\\x{BF}\\x{152}-\\x{2122}]|\u00e2\u20ac|\ufffd')",
}
NUMERIC_VALUE: dict[FieldType, str] = {
    "integer": "CAST(value AS DOUBLE)",
    "number": "value",
    "timestamp": "epoch_us(value) / 1e6",
    "date": "CAST(epoch(value) AS DOUBLE)",
}
LONGEST_TEXT = 120  # characters of a text that a profile keeps


def measure(database: duckdb.DuckDBPyConnection, staged: Staged, table: Table, rows: Path) -> Profile:
    """The profile of the staged rows in the Parquet file `rows`, of every declared column that the file has.

    All rows count, those that break rules too: this is what arrived. The same rows give an equal profile in
    any order, but for the rounding of sums.
    """
    relation = f"read_parquet({text(str(rows))})"
    decimal = str(staged.dialect.get("decimal", "."))
    there = [name for name, column in table.columns.items() if column.source(name) in staged.columns]
    names = there if staged.rows else []
    different, sample = drawn(database, staged, table, names, relation, decimal) if names else (staged.rows, None)
    return Profile(
        batches=1,
        rows=staged.rows,
        rejected=staged.rejected,
        repeated=staged.rows - different,
        time=table.time if table.time in names else None,
        columns={name: _column(database, table, name, relation, decimal, staged.rows) for name in names},
        sample=sample,
    )


def _column(
    database: duckdb.DuckDBPyConnection, table: Table, name: str, relation: str, decimal: str, rows: int
) -> ColumnProfile:
    column = table.columns[name]
    _group(database, table, name, relation, decimal)
    classes = ", ".join(f"sum(n) FILTER ({condition})" for condition in CLASSES.values())
    present, readable, distinct, shortest, longest, characters, *counted = _row(
        database,
        "SELECT sum(n) FILTER (given IS NOT NULL), sum(n) FILTER (value IS NOT NULL), count(given), "
        f"min(length(given)), max(length(given)), sum(n * length(given)), {classes} FROM grouped",
    )
    present, readable = int(present or 0), int(readable or 0)
    unreadable = "given IS NOT NULL AND value IS NULL"
    return ColumnProfile(
        type=column.type,
        rows=rows,
        present=present,
        readable=readable,
        hashes=_hashes(database),
        values=_most(database, "given", "given IS NOT NULL", KEPT_VALUES),
        complete=distinct <= KEPT_VALUES,
        patterns=_most(database, _pattern("given"), "given IS NOT NULL", KEPT_PATTERNS),
        classes={kind: int(n or 0) for kind, n in zip(CLASSES, counted, strict=True)},
        shortest=shortest or 0,
        longest=longest or 0,
        characters=int(characters or 0),
        unreadable=_most(database, "given", unreadable, KEPT_PATTERNS) if readable < present else {},
        numbers=_numbers(database, column) if readable else None,
        clock=_clock(database) if readable and column.type in ("timestamp", "date") else None,
    )


def _group(database: duckdb.DuckDBPyConnection, table: Table, name: str, relation: str, decimal: str) -> None:
    """Make the table `grouped`: each distinct text of a column with its rows `n`, typed as the rules type it."""
    alone = table.model_copy(
        update={"columns": {name: table.columns[name]}, "unexpected_columns": "ignore", "misfit_values": "quarantine"}
    )
    # The count travels through the view as `_row`, which the view hands on as it is.
    source = table.columns[name].source(name)
    grouped = f"(SELECT {identifier(source)}, count(*) AS _row, NULL AS _line FROM {relation} GROUP BY 1)"
    given = f"nullif({columns.given(name)}, '')"
    if table.columns[name].repair:  # what is compared with other batches is what is made of the text
        given = f"coalesce(CAST({columns.value(name)} AS VARCHAR), {given})"
    database.execute(
        f"CREATE OR REPLACE TEMP TABLE grouped AS SELECT _row AS n, {given} AS given, "
        f"{columns.value(name)} AS value FROM ({columns.typed_view(alone, [source], decimal, grouped)})"
    )


def _hashes(database: duckdb.DuckDBPyConnection) -> list[int]:
    shift = 64 - HASH_BITS
    found = database.execute(
        f"SELECT DISTINCT md5_number_lower(given) >> {shift} AS hash FROM grouped WHERE given IS NOT NULL "
        f"ORDER BY hash LIMIT {KEPT_HASHES}"
    ).fetchall()
    return [int(row[0]) for row in found]


def _most(database: duckdb.DuckDBPyConnection, expression: str, where: str, kept: int) -> dict[str, int]:
    found = database.execute(
        f"SELECT left({expression}, {LONGEST_TEXT}) AS shown, sum(n)::BIGINT AS rows FROM grouped WHERE {where} "
        f"GROUP BY 1 ORDER BY rows DESC, shown LIMIT {kept}"
    ).fetchall()
    return {str(shown): int(rows) for shown, rows in found}


def _pattern(expression: str) -> str:
    """SQL: digits as 9, letters as a or A, and a run of three or more of one kind as that kind and a plus."""
    for found, put in ((r"\p{Lu}", "A"), (r"[\p{Ll}\p{Lt}\p{Lm}\p{Lo}]", "a"), ("[0-9]", "9")):
        expression = f"regexp_replace({expression}, '{found}', '{put}', 'g')"
    for kind in "Aa9":
        expression = f"regexp_replace({expression}, '{kind}{{3,}}', '{kind}+', 'g')"
    return expression


def _numbers(database: duckdb.DuckDBPyConnection, column: Column) -> Numbers | None:
    if column.type not in NUMERIC_VALUE:
        return None
    database.execute(
        "CREATE OR REPLACE TEMP TABLE numbered AS SELECT x, sum(n)::DOUBLE AS n FROM "
        f"(SELECT {NUMERIC_VALUE[column.type]} AS x, n FROM grouped WHERE value IS NOT NULL) GROUP BY x"
    )
    count, low, high, mean, zeros, negatives, whole, distinct = _row(
        database,
        "SELECT sum(n), min(x), max(x), fsum(x * n) / sum(n), coalesce(sum(n) FILTER (x = 0), 0), "
        "coalesce(sum(n) FILTER (x < 0), 0), coalesce(sum(n) FILTER (x = trunc(x)), 0), count(*) FROM numbered",
    )
    squares = _row(database, "SELECT fsum(n * (x - $1) * (x - $1)) FROM numbered", mean)[0]
    kept = points.in_sql(database, count, distinct)
    return Numbers(
        count=int(count),
        min=low,
        max=high,
        mean=mean,
        squares=squares,
        zeros=int(zeros),
        negatives=int(negatives),
        whole=int(whole),
        points=kept,
        exact=len(kept) == distinct,
    )


def _clock(database: duckdb.DuckDBPyConnection) -> Clocked:
    hours = dict(database.execute("SELECT hour(value::TIMESTAMP), sum(n)::BIGINT FROM grouped GROUP BY 1").fetchall())
    days = _counted(database, "%Y-%m-%d")
    return Clocked(
        hours=[hours.get(hour, 0) for hour in range(24)],
        days=days if len(days) <= KEPT_DAYS else _counted(database, "%Y-%m"),
    )


def _counted(database: duckdb.DuckDBPyConnection, form: str) -> dict[str, int]:
    found = database.execute(
        f"SELECT strftime(value::TIMESTAMP, {text(form)}) AS day, sum(n)::BIGINT FROM grouped "
        f"WHERE value IS NOT NULL GROUP BY 1 ORDER BY 1 LIMIT {KEPT_DAYS + 1}"
    ).fetchall()
    return {str(day): int(rows) for day, rows in found}


def _row(database: duckdb.DuckDBPyConnection, query: str, *values: object) -> tuple[Any, ...]:
    found = database.execute(query, list(values)).fetchone()
    if found is None:
        raise AssertionError(f"A query over all rows gave no row: {query}")
    return tuple(found)
