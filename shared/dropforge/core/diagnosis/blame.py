"""Of the columns of relations that rows break, those that changed: as few as account for all of them."""

from collections.abc import Hashable, Mapping

from dropforge.core.diagnosis.undo import undone
from dropforge.core.relations import Relation, Rows

COMPANY = 0.5  # what counts that all relations of a column are broken, beside a change that mends the rows
MOVED = 0.25  # what counts that the column is unusual by itself


def blamed[K: Hashable](
    broken: Mapping[K, Relation],
    known: Mapping[K, Relation],
    rows: Rows,
    units: Mapping[str, str | None],
    moved: frozenset[str],
) -> dict[K, str]:
    """A column for each broken relation.

    That column comes first which, over all broken relations, is likeliest: changing it mends their rows, its other
    relations are broken too, and it moved by itself. It takes all relations it is in; then the next is looked for.
    """
    likely = {
        (key, column): _likely(relation, column, broken, known, rows, units, moved)
        for key, relation in broken.items()
        for column in relation.columns
    }
    found: dict[K, str] = {}
    while open_ := [key for key in broken if key not in found]:
        totals: dict[str, float] = {}
        for key in open_:
            for column in broken[key].columns:
                totals[column] = totals.get(column, 0.0) + likely[key, column]
        guilty = max(totals, key=lambda column: totals[column])
        found |= {key: guilty for key in open_ if guilty in broken[key].columns}
    return found


def _likely[K: Hashable](
    relation: Relation,
    column: str,
    broken: Mapping[K, Relation],
    known: Mapping[K, Relation],
    rows: Rows,
    units: Mapping[str, str | None],
    moved: frozenset[str],
) -> float:
    mended = undone(relation, rows, column, units.get(column))
    its = sum(column in one.columns for one in known.values())
    company = sum(column in one.columns for one in broken.values()) / max(its, 1)
    return (mended.weight if mended else 0.0) + COMPANY * company + MOVED * (column in moved)
