"""Read Parquet, and what can be turned into it: typed values become text again, to be held to the pipeline's rules."""

from collections.abc import Iterator
from pathlib import Path

import duckdb

from dropforge.contracts.errors import FileUnreadable
from dropforge.core import engine
from dropforge.core.engine import identifier, text
from dropforge.core.reading.dialect import unique
from dropforge.core.reading.limits import Limits


def read(content: Iterator[bytes], form: str, limits: Limits, folder: Path, rows_to: Path) -> tuple[list[str], int]:
    """Read the content of a Parquet or ORC file into Parquet of text; returns the columns and the number of rows.

    Records have a number, but no line. Nested values become JSON.

    Raises:
        FileUnreadable: `corrupt`, or `too_many_columns`.
    """
    plain = folder / f"content.{form}"
    with plain.open("wb") as file:
        file.writelines(content)
    source = _from_orc(plain, folder) if form == "orc" else plain
    with engine.opened(folder) as database:
        try:
            return _copy(database, source, limits, rows_to)
        except duckdb.Error as error:
            raise _corrupt(form, error) from error


def _copy(database: duckdb.DuckDBPyConnection, source: Path, limits: Limits, rows_to: Path) -> tuple[list[str], int]:
    table = f"read_parquet({text(str(source))})"
    described = database.execute(f"DESCRIBE FROM {table}").fetchall()
    names, types = [row[0] for row in described], [row[1] for row in described]
    if len(names) > limits.columns:
        raise FileUnreadable(
            f"The file has {len(names):,} columns. Expected at most {limits.columns:,}.",
            code="too_many_columns",
            expected=limits.columns,
            observed=len(names),
        )
    counted = database.execute(f"SELECT count(*) FROM {table}").fetchone()
    columns = unique(names)
    values = "".join(
        f", nullif({_as_text(identifier(name), kind)}, '') AS {identifier(column)}"
        for name, kind, column in zip(names, types, columns, strict=True)
    )
    if counted and counted[0]:
        database.execute(
            f"COPY (SELECT row_number() OVER () AS _row, NULL::BIGINT AS _line{values} FROM {table}) "
            f"TO {text(str(rows_to))} {engine.parquet(len(columns))}"
        )
    return columns, int(counted[0]) if counted else 0


def _as_text(name: str, kind: str) -> str:
    if kind.endswith("]") or kind.startswith(("STRUCT", "MAP", "UNION", "JSON", "VARIANT")):
        return f"CAST(to_json({name}) AS VARCHAR)"
    return f"CAST({name} AS VARCHAR)"


def _from_orc(plain: Path, folder: Path) -> Path:
    """The same rows as Parquet, a stripe at a time; DuckDB reads no ORC."""
    import pyarrow as pa
    import pyarrow.orc as orc
    import pyarrow.parquet as pq

    converted = folder / "converted.parquet"
    try:
        source = orc.ORCFile(plain)
        with pq.ParquetWriter(converted, source.schema) as writer:
            for stripe in range(source.nstripes):
                writer.write_batch(source.read_stripe(stripe))
    except (pa.ArrowException, OSError) as error:
        raise _corrupt("orc", error) from error
    return converted


def _corrupt(form: str, error: Exception) -> FileUnreadable:
    said = str(error).partition("\n")[0]
    name = {"parquet": "Parquet", "orc": "ORC"}[form]
    return FileUnreadable(
        f"The {name} file is damaged or cut short, and cannot be read. Drop the whole file again.",
        code="corrupt",
        expected=f"a whole {name} file",
        observed=said,
    )
