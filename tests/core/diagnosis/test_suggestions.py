"""What a diagnosis suggests, pasted into pipeline.yaml, gives the values back that were there before the corruption."""

from random import Random
from typing import Any

import duckdb
import pyarrow as pa
import pytest
import yaml

from dropforge.contracts.pipeline import Table
from dropforge.core.validation import columns
from tests.benchmarks.corruption.kinds import KINDS, Kind, Rows, each
from tests.benchmarks.corruption.trial import Bench, pipeline, rows_of

# Kinds that spoil every value, and all are right again once the suggestion is followed. Not here is "mph as m/s": the
# diagnosis suggests to divide by 1,000 there.
RESTORED = [
    "miles as kilometres",
    "distance times 1000",
    "minutes as seconds",
    "°F as °C",
    "sign flipped",
    "local clock three hours off",
    "five hours late",
    "day and month exchanged",
    "decimal comma",
    "re-cased",
    "padded",
    "two columns swapped",
]


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.name in RESTORED], ids=lambda kind: kind.name)
def test_the_suggested_repair_gives_the_values_back(judges: Bench, kind: Kind) -> None:
    """September at JFK, or the weather of September, spoiled in every row."""
    name = "flights-2013-09-JFK.csv.gz" if kind.table == "flights" else "weather-2013-09.csv.gz"
    before = rows_of(name)
    after = kind.spoil(before, 1.0, Random(7))
    _, profile = judges.profile(kind.table, name, after)
    said = [one for one in judges.examined(name, profile).diagnoses if one.cause in kind.causes]
    table = pipeline().tables[kind.table]
    right = values(before, table, kind.column)
    found = values(after, repaired(table, said[0].repair.yaml), kind.column)
    assert share_alike(right, found) == 1.0, said[0].repair.yaml


@pytest.mark.parametrize("column", ["dep_delay", "arr_delay"])
def test_a_value_to_be_read_as_none_is_suggested_in_full(judges: Bench, column: str) -> None:
    """Rounded to six digits, as 2.14748e+09, it would match no text of the file."""
    name = "flights-2013-09-JFK.csv.gz"
    after = each(column, lambda _: "2147483647")(rows_of(name), 0.05, Random(7))
    _, profile = judges.profile("flights", name, after)
    (said,) = [one for one in judges.examined(name, profile).diagnoses if one.cause == "sentinel"]
    assert '"2147483647"' in said.repair.yaml


def repaired(table: Table, suggestion: str) -> Table:
    """The table with a suggestion in it, as a person would paste it: checked as pipeline.yaml is."""
    given = table.model_dump(exclude_unset=True)
    for name, changed in yaml.safe_load(suggestion).items():
        given["columns"][name] |= changed
    return Table.model_validate(given)


def values(rows: Rows, table: Table, column: str) -> list[Any]:
    """A column's values, typed by the rules, in the order of the rows."""
    staged = pa.table(
        {"_row": range(len(rows)), "_line": range(len(rows)), **{n: [r[n] for r in rows] for n in rows[0]}}
    )
    with duckdb.connect() as database:
        database.execute("SET TimeZone = 'UTC'")
        database.register("staged", staged)
        view = columns.typed_view(table, list(rows[0]), ".", "staged")
        value = columns.value(column)
        shown = f"CAST({value} AS VARCHAR)" if table.columns[column].type == "timestamp" else value
        found = database.execute(f"SELECT {shown} FROM ({view}) ORDER BY _row").fetchall()
    return [one for (one,) in found]


def share_alike(right: list[Any], found: list[Any]) -> float:
    """The share of values that are equal, numbers to the digits that the corruption left."""
    alike = [
        abs(one - other) < 0.01 if isinstance(one, float) and isinstance(other, float) else one == other
        for one, other in zip(right, found, strict=True)
    ]
    return float(sum(alike) / len(alike))
