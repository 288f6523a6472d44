"""A column that another one decides: each destination has one distance, each product one unit."""

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from dropforge.core.relations.relation import Broken, Relation, has, kept, nothing
from dropforge.core.relations.rows import Rows

FEW, MANY = 3, 2000  # values of a column that may decide another: neither a constant nor a key
REPEATS = 5  # rows that a value of it has on average
SEEN = 3  # rows of a value, before it is known what it decides
Pairs = Counter[tuple[object, object]]


def determined(earlier: Sequence[Rows]) -> Iterator[Relation]:
    """For each column the one column that decides it best, if any does."""
    total = sum(rows.count for rows in earlier)
    values = {name: _different(name, earlier) for name in earlier[-1].names}
    deciding = [
        name
        for name in earlier[-1].texts
        if FEW <= values[name] <= MANY and values[name] * REPEATS <= total
    ]  # fmt: skip
    for name, different in values.items():
        if not FEW <= different <= MANY:
            continue
        found = [
            relation
            for other in deciding
            if other != name
            and values[other] >= different
            and _looks_decided(other, name, earlier[-1])
            and (relation := _relation(other, name, earlier)).rare
        ]
        if found:
            yield min(found, key=lambda one: (sum(broken.rows for broken in one.past), values[one.columns[1]]))


def _different(name: str, earlier: Sequence[Rows]) -> int:
    return len({value for rows in earlier if has(rows, [name]) for value in rows.only(rows.present(name)).values(name)})


def _looks_decided(other: str, name: str, rows: Rows) -> bool:
    """Spares the exact count where one batch already shows that it cannot be."""
    pairs = _pairs(rows, other, name)
    most: dict[object, int] = {}
    for (value, _), times in pairs.items():
        most[value] = max(most.get(value, 0), times)
    return sum(most.values()) >= 0.97 * sum(pairs.values())


def _pairs(rows: Rows, other: str, name: str) -> Pairs:
    if not has(rows, (other, name)):
        return Counter()
    both = rows.only(kept(rows, [other, name]))
    return Counter(zip(both.values(other), both.values(name), strict=True))


def _relation(other: str, name: str, earlier: Sequence[Rows]) -> Relation:
    each = [_pairs(rows, other, name) for rows in earlier]
    whole: Pairs = Counter()
    for pairs in each:
        whole.update(pairs)
    known = Known(whole)
    past = [_broken(rows, other, name, Known(whole - pairs)) for rows, pairs in zip(earlier, each, strict=True)]
    says = f"{other!r} decides {name!r}"
    return Relation("determined", (name, other), says, lambda rows: _broken(rows, other, name, known), past)


class Known:
    """Which pairs occur, and how many rows each deciding value has."""

    def __init__(self, pairs: Pairs) -> None:
        self.pairs = set(pairs)
        self.times: Counter[object] = Counter()
        for (value, _), seen in pairs.items():
            self.times[value] += seen


def _broken(rows: Rows, other: str, name: str, known: Known) -> Broken:
    if not has(rows, (other, name)):
        return nothing(rows)
    both = kept(rows, [other, name]).tolist()
    deciding, decided = rows.values(other), rows.values(name)
    applies = [there and known.times[value] >= SEEN for there, value in zip(both, deciding, strict=True)]
    broken = [
        there and pair not in known.pairs
        for there, pair in zip(applies, zip(deciding, decided, strict=True), strict=True)
    ]
    return Broken(np.array(applies, dtype=bool), np.array(broken, dtype=bool))
