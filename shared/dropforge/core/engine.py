"""DuckDB, set up the same way wherever a step needs it: bounded memory, UTC, no network, spilling into one folder."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from dropforge.contracts.models import FieldType

MEMORY_MB = 256  # with the rest of a process it stays below 512 MB
THREADS = 2
VECTOR = 2048  # rows that DuckDB works on at a time
GROUP_ROWS = 60 * VECTOR  # its own default
GROUP_CELLS = 4_000_000

SQL_TYPES: dict[FieldType, str] = {
    "integer": "BIGINT",
    "number": "DOUBLE",
    "boolean": "BOOLEAN",
    "category": "VARCHAR",
    "text": "VARCHAR",
    "timestamp": "TIMESTAMPTZ",
    "date": "DATE",
}


@contextmanager
def opened(folder: Path, memory_mb: int = MEMORY_MB) -> Iterator[duckdb.DuckDBPyConnection]:
    """An in-memory database that spills into `folder` once `memory_mb` are in use."""
    connection = duckdb.connect(
        config={
            "memory_limit": f"{memory_mb}MB",
            "threads": THREADS,
            "temp_directory": str(folder / "spill"),
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        }
    )
    try:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute("SET enable_progress_bar = false")  # else a long query draws one into the function's log
        yield connection
    finally:
        connection.close()


def parquet(columns: int) -> str:
    """The options of a COPY into Parquet of so many columns: a row group lies in memory, so its cells are bounded."""
    rows = min(GROUP_ROWS, max(VECTOR, GROUP_CELLS // max(columns, 1) // VECTOR * VECTOR))
    return f"(FORMAT parquet, ROW_GROUP_SIZE {rows})"


def identifier(name: str) -> str:
    """`name` as a quoted SQL identifier.

    >>> identifier('a "b"')
    '"a ""b\"""'
    """
    return '"' + name.replace('"', '""') + '"'


def text(value: str) -> str:
    """`value` as an SQL string literal.

    >>> text("o'clock")
    "'o''clock'"
    """
    return "'" + value.replace("'", "''") + "'"
