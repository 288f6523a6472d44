"""Two clock times that lie a few hours apart, always the same few: a time in UTC, and the local clock beside it."""

from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from dropforge.core.relations.relation import Broken, Relation, has, kept, nothing
from dropforge.core.relations.rows import DAY, Rows

HOURS = 24
FEW = 6  # hours that hold nearly all differences
RARELY = 0.002  # of the rows: an hour that has less does not count as known
Counts = NDArray[np.int64]


def clocks(earlier: Sequence[Rows]) -> Iterator[Relation]:
    """For each clock the other that it follows most closely, if it follows any."""
    best: dict[str, tuple[int, Relation]] = {}
    for pair in combinations(earlier[-1].clocked, 2):
        each = [_hours(rows, pair) for rows in earlier]
        known = _known(np.sum(each, axis=0))
        if not 0 < np.count_nonzero(known) <= FEW:
            continue
        relation = _relation(pair, each, earlier)
        if relation.rare:
            width = int(np.count_nonzero(known))
            for name in pair:
                if name not in best or width < best[name][0]:
                    best[name] = (width, relation)
    seen: set[tuple[str, ...]] = set()
    for _, relation in best.values():
        if relation.columns not in seen:
            seen.add(relation.columns)
            yield relation


def _hours(rows: Rows, pair: Sequence[str]) -> Counts:
    if not has(rows, pair):
        return np.zeros(HOURS, dtype=np.int64)
    return np.bincount(_apart(rows, pair)[kept(rows, pair)], minlength=HOURS)


def _apart(rows: Rows, pair: Sequence[str]) -> NDArray[np.int64]:
    apart = np.nan_to_num(rows.clock(pair[0]) - rows.clock(pair[1])) % DAY
    return (apart // (DAY // HOURS)).astype(np.int64)


def _known(counts: Counts) -> NDArray[np.bool_]:
    """Hours that occur, and their neighbours: summer time moves a local clock by one."""
    known = counts > RARELY * max(int(counts.sum()), 1)
    return np.asarray(known | np.roll(known, 1) | np.roll(known, -1), dtype=bool)


def _relation(pair: tuple[str, str], each: Sequence[Counts], earlier: Sequence[Rows]) -> Relation:
    whole = np.sum(each, axis=0)

    def broken(rows: Rows, counts: Counts) -> Broken:
        if not has(rows, pair):
            return nothing(rows)
        both = kept(rows, pair)
        return Broken(both, both & ~_known(counts)[_apart(rows, pair)])

    past = [broken(rows, whole - counts) for rows, counts in zip(earlier, each, strict=True)]
    says = f"{pair[0]!r} and {pair[1]!r} lie the usual hours apart"

    def typical(rows: Rows) -> float:
        return float(np.mean(whole[_apart(rows, pair)]))

    return Relation("clocks", pair, says, lambda rows: broken(rows, whole), past, typical)
