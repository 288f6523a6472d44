"""Draw whole rows at random, so that it can be seen how columns hang together: a profile of each column alone is blind.

The rows whose text has the smallest hashes (bottom-k sampling; Cohen and Kaplan, PODC 2007) are a uniform sample of the
different rows, the same in any order, and the sample of a union follows from the samples of its parts.
"""

from collections.abc import Sequence
from typing import Any

import duckdb

from dropforge.contracts.models import FieldType
from dropforge.contracts.pipeline import Table
from dropforge.contracts.profile import LEAST_KEPT_ROWS, MOST_KEPT_CELLS, MOST_KEPT_ROWS, Sample
from dropforge.contracts.verdicts import Staged
from dropforge.core.engine import identifier
from dropforge.core.validation import columns

HASH_SHIFT = 11  # from 64 bits to the 53 that a number in JSON keeps whole
# How a typed value stands in a sample. A text is not compared with other columns, only whether there is one.
AS_NUMBER: dict[FieldType, str] = {
    "integer": "CAST({value} AS DOUBLE)",
    "number": "{value}",
    "timestamp": "epoch_us({value}) / 1e6",
    "date": "CAST(epoch({value}) AS DOUBLE)",
}
AS_TEXT: dict[FieldType, str] = {
    "category": "left(nullif({value}, ''), 40)",  # longer ones are told apart by their beginning
    "boolean": "CAST({value} AS VARCHAR)",
    "text": "CASE WHEN {value} <> '' THEN '' END",
}


def drawn(
    database: duckdb.DuckDBPyConnection, staged: Staged, table: Table, names: Sequence[str], relation: str, decimal: str
) -> tuple[int, Sample]:
    """How many different rows the relation has, and some of them."""
    listed = ", ".join(identifier(name) for name in staged.columns)
    different, lowest = database.execute(
        f"SELECT count(*), min({{'hash': hash, 'row': row}}, {kept(len(names))}) "
        f"FROM (SELECT hash({listed}) AS hash, min(_row) AS row FROM {relation} GROUP BY 1)"
    ).fetchall()[0]
    chosen = {one["row"]: one["hash"] >> HASH_SHIFT for one in lowest}
    return int(different), _sample(database, staged, table, names, relation, decimal, chosen)


def kept(columns: int) -> int:
    """How many rows of so many columns are kept."""
    return max(LEAST_KEPT_ROWS, min(MOST_KEPT_ROWS, MOST_KEPT_CELLS // max(columns, 1)))


def merged(left: Sample, right: Sample) -> Sample:
    """The sample of the rows of both. A column that one lacks is empty there."""
    numbers = {**left.numbers, **right.numbers}
    texts = {**left.texts, **right.texts}
    first = dict.fromkeys(right.hashes, right) | dict.fromkeys(left.hashes, left)
    hashes = sorted(first)[: kept(len(numbers) + len(texts))]
    at = {id(side): {hash_: n for n, hash_ in enumerate(side.hashes)} for side in (left, right)}
    rows = [(first[hash_], at[id(first[hash_])][hash_]) for hash_ in hashes]
    return Sample(
        hashes=hashes,
        numbers={name: [one.numbers[name][n] if name in one.numbers else None for one, n in rows] for name in numbers},
        texts={name: [one.texts[name][n] if name in one.texts else None for one, n in rows] for name in texts},
    )


def _sample(
    database: duckdb.DuckDBPyConnection,
    staged: Staged,
    table: Table,
    names: Sequence[str],
    relation: str,
    decimal: str,
    chosen: dict[int, int],
) -> Sample:
    kinds = {name: table.columns[name].type for name in names}
    values = [(AS_NUMBER | AS_TEXT)[kind].format(value=columns.value(name)) for name, kind in kinds.items()]
    alone = table.model_copy(
        update={
            "columns": {name: table.columns[name] for name in names},
            "unexpected_columns": "ignore",
            "misfit_values": "quarantine",
        }
    )
    few = f"(SELECT * FROM {relation} SEMI JOIN (SELECT unnest(?::BIGINT[]) AS _row) USING (_row))"
    found: list[tuple[Any, ...]] = database.execute(
        f"SELECT {', '.join(['_row', *values])} FROM ({columns.typed_view(alone, staged.columns, decimal, few)})",
        [list(chosen)],
    ).fetchall()
    rows = sorted(found, key=lambda row: chosen[row[0]])
    read = {name: [row[at] for row in rows] for at, name in enumerate(names, start=1)}
    return Sample(
        hashes=[chosen[row[0]] for row in rows],
        numbers={name: read[name] for name in names if kinds[name] in AS_NUMBER},
        texts={name: read[name] for name in names if kinds[name] in AS_TEXT},
    )
