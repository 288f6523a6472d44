"""Rules of the batch as a whole that its rows decide: how fresh they are, and how many have no value."""

from collections.abc import Iterator
from datetime import datetime

import duckdb

from dropforge.contracts.pipeline import Table
from dropforge.contracts.verdicts import Reason, Staged
from dropforge.core.validation import columns


def reasons(database: duckdb.DuckDBPyConnection, staged: Staged, table: Table, arrived: str) -> list[Reason]:
    """Why the batch in the view `typed` is refused, whatever its rows are by themselves; a release sets it aside.

    A replay has only the rows that were left of a file, so of these rules only freshness holds for it, by when the file
    came. `arrived` is ISO 8601.
    """
    if staged.replay is not None and staged.replay.release:
        return []
    empty = [] if staged.replay else _empty(database, staged, table)
    return [*_stale(database, table, arrived), *empty]


def _stale(database: duckdb.DuckDBPyConnection, table: Table, arrived: str) -> Iterator[Reason]:
    if table.max_age_hours is None or table.time is None or not arrived:
        return
    newest = f"epoch_us(max(CAST({columns.value(table.time)} AS TIMESTAMPTZ)))"
    (found,) = database.execute(f"SELECT {newest} FROM typed").fetchall()[0]
    if found is None:
        return
    came = datetime.fromisoformat(arrived)
    hours = (came.timestamp() - found / 1e6) / 3600
    if hours > table.max_age_hours:
        yield Reason(
            code="stale",
            subject=table.time,
            observed=round(hours, 1),
            expected=table.max_age_hours,
            sentence=(
                f"Its newest {table.time!r} is {hours:,.1f} hours older than the file, which came at "
                f"{came:%Y-%m-%d %H:%M}. Expected at most {table.max_age_hours:g}."
            ),
        )


def _empty(database: duckdb.DuckDBPyConnection, staged: Staged, table: Table) -> list[Reason]:
    limits = {name: one.max_null_share for name, one in table.columns.items() if one.max_null_share is not None}
    if not limits:
        return []
    counts = ", ".join(f"count(*) - count({columns.given(name)})" for name in limits)
    found = database.execute(f"SELECT {counts} FROM typed").fetchall()[0]
    return [
        Reason(
            code="null_share",
            subject=name,
            observed=nulls / staged.rows,
            expected=limit,
            sentence=f"{name!r} has no value in {nulls / staged.rows:.1%} of the rows. Expected at most {limit:.1%}.",
        )
        for (name, limit), nulls in zip(limits.items(), found, strict=True)
        if nulls > limit * staged.rows
    ]
