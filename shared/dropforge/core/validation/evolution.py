"""The policy `evolve`: files that differ from the declared columns change the table's shape, and that is recorded.

Load jobs can add a column to a BigQuery table and cannot change the type of one, so nothing that is there changes: a
new column joins as text, and a value that is not of its column's type stands as text in a column beside it.
https://cloud.google.com/bigquery/docs/managing-table-schemas
"""

import duckdb

from dropforge.contracts import places
from dropforge.contracts.evolution import Evolved
from dropforge.contracts.pipeline import Table
from dropforge.contracts.verdicts import Reason, Staged
from dropforge.core.ports import Objects
from dropforge.core.state import create_once
from dropforge.core.validation import columns


def changed(database: duckdb.DuckDBPyConnection, table: Table) -> list[str]:
    """The columns of which rows without a fault have values of another type."""
    candidates = columns.may_misfit(table) if table.misfit_values == "evolve" else []
    if not candidates:
        return []
    counts = ", ".join(f"count(*) FILTER ({columns.is_misfit(name)})" for name in candidates)
    found = database.execute(f"SELECT {counts} FROM typed ANTI JOIN faults USING (_row)").fetchall()[0]
    return [name for name, misfits in zip(candidates, found, strict=True) if misfits]


def written(table: Table, present: list[str], misfit: list[str]) -> dict[str, str]:
    """SQL of the columns that accepted rows have beside those declared, by name."""
    texts = {name: columns.raw(name) for name in columns.joining(table, present)}
    return texts | {
        f"{name}{columns.BESIDE}": f"CASE WHEN {columns.is_misfit(name)} THEN {columns.raw(name)} END"
        for name in misfit
    }


def record(staged: Staged, table: Table, misfit: list[str], state: Objects) -> list[Reason]:
    """Write down each change once, by the first file that brought it; returns those that this file brought."""
    missing = [
        name
        for name, column in table.columns.items()
        if table.missing_columns == "evolve" and column.source(name) not in staged.columns
    ]
    kinds = {
        "new_column": (
            columns.joining(table, staged.columns),
            "is new, and joined the table as text. Declare it to use it.",
        ),
        "column_left": (missing, "is not in the file any more, and is empty from now on."),
        "type_changed": (
            misfit,
            f"has values of another type than declared, which stand in a column beside it, called ...{columns.BESIDE}.",
        ),
    }
    return [
        _reason(staged, code, name, said)
        for code, (names, said) in kinds.items()
        for name in names
        if _is_first(staged, code, name, state)
    ]


def _is_first(staged: Staged, code: str, name: str, state: Objects) -> bool:
    mine = Evolved(code=code, column=name, batch=staged.batch, source=staged.source)
    return create_once(state, places.evolved(staged.batch, code, name), mine).batch == staged.batch


def _reason(staged: Staged, code: str, name: str, said: str) -> Reason:
    return Reason(
        code=code,
        subject=name,
        observed=staged.source.uri,
        expected="the declared columns",
        sentence=f"The column {name!r} {said}",
    )
