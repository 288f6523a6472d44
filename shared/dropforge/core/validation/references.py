"""Columns whose values must be among those of another table."""

from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb

from dropforge.contracts import places
from dropforge.contracts.batch import Batch
from dropforge.contracts.pipeline import Table
from dropforge.contracts.verdicts import Before, HeldAgainst, Staged
from dropforge.core import engine, ledger
from dropforge.core.engine import identifier, text
from dropforge.core.ports import Objects
from dropforge.core.state import create_once, load
from dropforge.core.validation import columns

# From the name of a table to Parquet files of its accepted rows, each there only until the next is asked for.
References = Callable[[str], Iterator[Path]]


def referenced(staged: Staged, table: Table, state: Objects, scratch: Path) -> References | None:
    """The rows that were accepted of referenced tables when this batch was first judged; None where it needs none.

    Which those are is written down once, so that a redelivery gives the same. A file that comes before the values that
    it references is quarantined, and replayed once they are there.

    Raises:
        NotFound: accepted rows are not there at the generation of their verdict.
    """
    wanted = _tables(table)
    if not wanted:
        return None
    held: dict[str, HeldAgainst] = {}
    for name in wanted:
        place = places.referenced(staged.batch, name)
        found = load(state, place, HeldAgainst)
        held[name] = found[0] if found else create_once(state, place, _accepted(staged.batch, name, state))

    def rows(name: str) -> Iterator[Path]:
        path = scratch / "referenced.parquet"
        for before in held[name].batches:
            batch = staged.batch.model_copy(update={"table": name, "batch_id": before.batch_id})
            state.download(places.accepted_rows(batch), path, before.accepted_generation)
            yield path

    return rows


def is_current(batch: Batch, table: Table, state: Objects) -> bool:
    """Whether nothing was accepted of referenced tables since the batch was judged."""
    found = {name: load(state, places.referenced(batch, name), HeldAgainst) for name in _tables(table)}
    return all(one is not None and one[0] == _accepted(batch, name, state) for name, one in found.items())


def _tables(table: Table) -> list[str]:
    return sorted({one.references.partition(".")[0] for one in table.columns.values() if one.references})


def _accepted(batch: Batch, name: str, state: Objects) -> HeldAgainst:
    return HeldAgainst(
        batches=[
            Before(batch_id=line.batch.batch_id, source=line.source, accepted_generation=line.accepted_generation or 0)
            for line in ledger.lines(state, batch.pipeline, name)
            if line.accepted
        ]
    )


def make_references(database: duckdb.DuckDBPyConnection, table: Table, references: References | None) -> None:
    """Make the table of known values of each column that is referenced, each value once."""
    kinds = {one.references: engine.SQL_TYPES[one.type] for one in table.columns.values() if one.references}
    for reference, kind in kinds.items():
        database.execute(f"CREATE TABLE {columns.referenced(reference)} (known {kind})")
    for name in sorted({reference.partition(".")[0] for reference in kinds}):
        for path in references(name) if references else ():
            rows = f"read_parquet({text(str(path))})"
            there = {row[0] for row in database.execute(f"DESCRIBE FROM {rows}").fetchall()}
            for reference, kind in kinds.items():
                other, _, key = reference.partition(".")
                if other == name and key in there:
                    known = columns.referenced(reference)
                    database.execute(
                        f"INSERT INTO {known} SELECT DISTINCT TRY_CAST({identifier(key)} AS {kind}) AS one FROM {rows} "
                        f"WHERE one IS NOT NULL AND one NOT IN (SELECT known FROM {known})"
                    )
