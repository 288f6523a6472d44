"""Which change of one column makes rows keep a relation again: the strongest evidence for what happened to them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from dropforge.core.diagnosis.units import CHANGES, Arithmetic, plausible
from dropforge.core.relations.relation import Relation
from dropforge.core.relations.rows import Rows, Values

HOURS = 12  # either way, by which a clock may be off
ONE_VALUE = 0.8  # of the rows that were filled in have the same value, when it stands for none
LIKELY = {"columns_swapped": 0.97, "lost": 0.9}  # beside changes that are as good an explanation


@dataclass(frozen=True)
class Undone:
    """`fixed` is the share of the rows that broke a relation and keep it once a change is undone.

    `other` is the column that it was exchanged with, `value` the one value that rows were filled with, `hours` by how
    much a clock is late. `weight` is `fixed`, less what makes the change implausible; among equals
    the more `typical` result counts.
    """

    cause: str
    fixed: float
    weight: float
    typical: float = 0.0
    change: Arithmetic | None = None
    other: str = ""
    value: float = 0.0
    hours: int = 0


def undone(relation: Relation, rows: Rows, column: str, unit: str | None) -> Undone | None:
    """The change of `column` that mends most of the rows that broke the relation; None where none mends any."""
    broken = rows.only(relation.test(rows).broken)
    if not broken.count:
        return None
    tried = [*_emptied(broken, column)] if relation.kind == "together" else []
    if column in rows.numbers and relation.kind != "together":
        tried += _tried(relation, broken, column, unit)
    return max(tried, key=lambda one: (round(one.weight, 2), one.typical, one.fixed), default=None)


def _tried(relation: Relation, broken: Rows, column: str, unit: str | None) -> Iterator[Undone]:
    values = broken.numbers[column]
    whole = bool(np.array_equal(values, np.round(values), equal_nan=True))
    if column in broken.clocked:
        for hours in (hours for hours in range(-HOURS, HOURS + 1) if hours):
            moved = {column: _moved(broken, column, -hours)}
            fixed = _fixed(relation, broken, moved)
            yield Undone("clock_shift", fixed, fixed, relation.typical(broken.changed(moved)), hours=hours)
    else:
        for change in CHANGES:
            back = (values - change.plus) / change.times
            fixed = _fixed(relation, broken, {column: np.round(back) if whole else back})
            yield Undone(change.cause, fixed, fixed * plausible(change, unit), change=change)
    for other in broken.numbers:
        if other not in relation.columns and other not in broken.times:
            fixed = _fixed(relation, broken, {column: broken.numbers[other], other: values})
            yield Undone("columns_swapped", fixed, fixed * LIKELY["columns_swapped"], other=other)


def _moved(broken: Rows, column: str, hours: int) -> Values:
    values = broken.numbers[column]
    return values + 3600 * hours if column in broken.times else (values + 100 * hours) % 2400


def _fixed(relation: Relation, broken: Rows, numbers: Mapping[str, Values]) -> float:
    after = relation.test(broken.changed(numbers))
    return float(np.count_nonzero(after.applies & ~after.broken)) / broken.count


def _emptied(broken: Rows, column: str) -> Iterator[Undone]:
    """Values lost, or put in where there is none: those all are the same."""
    there = broken.present(column)
    lost = float(np.mean(~there))
    yield Undone("lost", lost, lost * LIKELY["lost"])
    if column in broken.numbers and there.any():
        values, counts = np.unique(broken.numbers[column][there], return_counts=True)
        if counts.max() >= ONE_VALUE * counts.sum():
            filled = float(np.mean(there))
            yield Undone("filled", filled, filled, value=float(values[counts.argmax()]))
