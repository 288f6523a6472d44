"""Keys are unique: within a batch, over the batches of one file and, as a policy, over all files of a table."""

from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb

from dropforge.contracts.pipeline import Table
from dropforge.core import engine
from dropforge.core.engine import identifier, text
from dropforge.core.validation import columns

# From the first and the last time of a batch, in microseconds since 1970 and None without such a column: where accepted
# rows came from and the Parquet file they are in, which need be there only until the next is asked for.
Earlier = Callable[[int | None, int | None], Iterator[tuple[str, Path]]]
REPEATED = "repeated_key"


def fault_doubled(database: duckdb.DuckDBPyConnection, table: Table) -> None:
    """Fault the rows whose key an earlier row of the batch has, of those that broke no rule of their own."""
    names = _names(table)
    doubled = (
        f"SELECT {names}, min(_row) AS first_row, arg_min(_line, _row) AS first_line FROM good "
        f"GROUP BY {names} HAVING count(*) > 1"
    )
    good = "SELECT * FROM typed ANTI JOIN faults USING (_row)"
    database.execute(_faulted(table, good, doubled, "duplicate_key", "", "_row > first_row"))


def fault_accepted(database: duckdb.DuckDBPyConnection, table: Table, accepted: list[Path]) -> None:
    """Fault the rows whose key was accepted of the same file before."""
    good = "SELECT * FROM typed ANTI JOIN faults USING (_row)"
    keys = _accepted_keys(database, table, accepted)
    database.execute(_faulted(table, good, keys, "duplicate_key", "", "true"))


def fault_repeated(database: duckdb.DuckDBPyConnection, table: Table, earlier: Earlier) -> None:
    """Fault the rows whose key another file brought before; in memory are the keys of one file of them at a time."""
    kept = ", ".join(f"{columns.value(name)}, {columns.given(name)}" for name in table.key)
    time = f"epoch_us({columns.value(table.time)}::TIMESTAMPTZ)" if table.time else "NULL::BIGINT"
    database.execute(
        f"CREATE TABLE good_keys AS SELECT _row, _line, {kept}, {time} AS time FROM typed ANTI JOIN faults USING (_row)"
    )
    first, last = database.sql("SELECT min(time), max(time) FROM good_keys").fetchall()[0]
    within = table.time is not None and table.time in table.key  # else the same key may come with another time
    for source, path in earlier(first if within else None, last if within else None):
        keys = _accepted_keys(database, table, [path])
        good = "SELECT * FROM good_keys ANTI JOIN faults USING (_row)"
        database.execute(_faulted(table, good, keys, REPEATED, f" of {source}", "true"))


def _names(table: Table) -> str:
    return ", ".join(columns.value(name) for name in table.key)


def _accepted_keys(database: duckdb.DuckDBPyConnection, table: Table, accepted: list[Path]) -> str:
    """SQL: the keys of accepted rows, typed as the table says now, each once."""
    paths = ", ".join(text(str(path)) for path in accepted)
    rows = f"read_parquet([{paths}], union_by_name = true)"
    there = {row[0] for row in database.execute(f"DESCRIBE FROM {rows}").fetchall()}
    typed = []
    for name in table.key:
        kept = identifier(name) if name in there else "NULL"
        typed.append(f"TRY_CAST({kept} AS {engine.SQL_TYPES[table.columns[name].type]}) AS {columns.value(name)}")
    names = _names(table)
    return (
        f"SELECT {names}, min(_row) AS first_row, arg_min(_line, _row) AS first_line "
        f"FROM (SELECT {', '.join(typed)}, _row, _line FROM {rows}) GROUP BY {names}"
    )


def _faulted(table: Table, good: str, firsts: str, code: str, of: str, where: str) -> str:
    """SQL: fault the rows of `good` whose key is among `firsts`, which stand in the file that `of` names."""
    shown = ", ' and ', ".join(f"{text(name + ' ')}, {columns.given(name)}" for name in table.key)
    return (
        f"INSERT INTO faults WITH good AS ({good}), firsts AS ({firsts}) "
        f"SELECT _row, [{{'code': {text(code)}, 'column': {text(', '.join(table.key))}, "
        f"'value': concat({shown}), 'sentence': concat({columns.WHERE}, ': the key (', {shown}, "
        f"') must be unique. ', coalesce('Line ' || first_line, 'Row ' || first_row), {text(of + ' has it too.')})}}] "
        f"FROM good JOIN firsts USING ({_names(table)}) WHERE {where}"
    )
