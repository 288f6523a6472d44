"""Columns that are empty in the same rows: what is filled in, or lost, in one of them only, shows at once."""

from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np

from dropforge.core.relations.relation import Broken, Relation, has, nothing
from dropforge.core.relations.rows import Rows

SOME = 5  # rows that are empty in both, before anything can be said


def together(earlier: Sequence[Rows]) -> Iterator[Relation]:
    """For each column that is sometimes empty, the column that is empty where it is."""
    names = earlier[-1].names
    pooled = {name: np.concatenate([rows.present(name) for rows in earlier]) for name in names}
    gaps = {name: int(np.count_nonzero(~mask)) for name, mask in pooled.items()}
    open_ = [name for name in names if gaps[name] >= SOME and pooled[name].any()]
    seen: dict[str, tuple[int, str]] = {}
    for one, other in combinations(open_, 2):
        apart = int(np.count_nonzero(pooled[one] != pooled[other]))
        for name, partner in ((one, other), (other, one)):
            if apart <= 0.1 * gaps[name] and (name not in seen or apart < seen[name][0]):
                seen[name] = (apart, partner)
    for pair in sorted({tuple(sorted((name, partner))) for name, (_, partner) in seen.items()}):
        yield _relation((pair[0], pair[1]), earlier)


def _relation(pair: tuple[str, str], earlier: Sequence[Rows]) -> Relation:
    def test(rows: Rows) -> Broken:
        if not has(rows, pair):
            return nothing(rows)
        return Broken(np.ones(rows.count, dtype=bool), rows.present(pair[0]) != rows.present(pair[1]))

    says = f"{pair[0]!r} and {pair[1]!r} are empty in the same rows"
    return Relation("together", pair, says, test, [test(rows) for rows in earlier])
