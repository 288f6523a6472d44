"""Of the columns of relations that rows break, those that changed: as few as account for all of them."""

from collections.abc import Hashable, Mapping

from dropforge.core.diagnosis.undo import Undone, undone
from dropforge.core.relations import Relation, Rows

COMPANY = 0.5  # what counts that all relations of a column are broken, beside a change that mends the rows
MOVED = 0.25  # what counts that the column is unusual by itself


def blamed[K: Hashable](
    broken: Mapping[K, Relation],
    known: Mapping[K, Relation],
    rows: Rows,
    units: Mapping[str, str | None],
    moved: frozenset[str],
) -> dict[K, tuple[str, Undone | None]]:
    """A column for each broken relation, and the change of it that mends most of the rows, if one does.

    That column comes first which, over all broken relations, is likeliest: changing it mends their rows, its other
    relations are broken too, and it moved by itself. It takes all relations it is in; then the next is looked for.
    """
    mends = {
        (key, column): undone(relation, rows, column, units.get(column))
        for key, relation in broken.items()
        for column in relation.columns
    }
    likely = {pair: _likely(pair[1], mended, broken, known, moved) for pair, mended in mends.items()}
    found: dict[K, tuple[str, Undone | None]] = {}
    while open_ := [key for key in broken if key not in found]:
        totals: dict[str, float] = {}
        for key in open_:
            for column in broken[key].columns:
                totals[column] = totals.get(column, 0.0) + likely[key, column]
        guilty = max(totals, key=lambda column: totals[column])
        found |= {key: (guilty, mends[key, guilty]) for key in open_ if guilty in broken[key].columns}
    return found


def _likely[K: Hashable](
    column: str,
    mended: Undone | None,
    broken: Mapping[K, Relation],
    known: Mapping[K, Relation],
    moved: frozenset[str],
) -> float:
    its = sum(column in one.columns for one in known.values())
    company = sum(column in one.columns for one in broken.values()) / max(its, 1)
    return (mended.weight if mended else 0.0) + COMPANY * company + MOVED * (column in moved)
