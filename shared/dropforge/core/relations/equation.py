"""Columns that add up, or multiply: delay = arrival - schedule (by the clock), amount = price x quantity."""

from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np

from dropforge.core.relations.relation import Broken, Relation, has, kept, nothing
from dropforge.core.relations.rows import DAY, Mask, Rows, Values

PROBES = 12  # rows on which all pairs are tried before any is looked at closely
MOST_COLUMNS = 120  # of numbers; pairs of more take too long
EXACT = 1e-6
ROUNDED = 0.006  # amounts are often rounded to hundredths
Terms = tuple[str, str, str]  # result, first, second


def equations(earlier: Sequence[Rows]) -> Iterator[Relation]:
    """Each equation that holds in nearly all rows, each set of three columns once."""
    pooled = [rows for rows in earlier if rows.count]
    done: set[frozenset[str]] = set()
    for operation, terms in [*_numbers(pooled), *_clocks(pooled)]:
        relation = _relation(operation, terms, earlier)
        if frozenset(terms) not in done and relation.rare and _telling(operation, terms, pooled):
            done.add(frozenset(terms))
            yield relation


def _numbers(earlier: Sequence[Rows]) -> Iterator[tuple[str, Terms]]:
    names = earlier[-1].quantities[:MOST_COLUMNS]
    if len(names) < 3:
        return
    probes = _probes(earlier, names)
    everything = np.array([probes[name] for name in names])
    for one, other in combinations(names, 2):
        for operation, made in (("+", probes[one] + probes[other]), ("*", probes[one] * probes[other])):
            hits = np.count_nonzero(_near(everything, made), axis=1) >= PROBES - 1
            yield from (
                (operation, (names[at], one, other)) for at in np.flatnonzero(hits) if names[at] not in (one, other)
            )


def _clocks(earlier: Sequence[Rows]) -> Iterator[tuple[str, Terms]]:
    """A duration in minutes that is the difference of two clock times."""
    clocks, names = earlier[-1].clocked, earlier[-1].quantities
    if len(clocks) < 2 or not names:
        return
    probes = _probes(earlier, [*clocks, *names])
    everything = np.array([probes[name] for name in names])
    for one, other in combinations(clocks, 2):
        for first, second in ((one, other), (other, one)):
            made = (probes[first] - probes[second]) % DAY
            hits = np.count_nonzero(np.abs(everything % DAY - made) < EXACT, axis=1) >= PROBES - 1
            yield from (("clock", (names[at], first, second)) for at in np.flatnonzero(hits))


def _probes(earlier: Sequence[Rows], names: Sequence[str]) -> dict[str, Values]:
    """A few rows that have as many values as any, and among these, few zeros."""
    rows = earlier[-1]
    arrays = {name: rows.numbers[name] if name in rows.quantities else rows.clock(name) for name in names}
    filled = np.sum([~np.isnan(values) * 2 + (np.nan_to_num(values) != 0) for values in arrays.values()], axis=0)
    best = np.argsort(-filled, kind="stable")[:PROBES]
    return {name: values[best] for name, values in arrays.items()}


def _near(values: Values, made: Values) -> Mask:
    slack = np.where((values == np.floor(values)) & (made == np.floor(made)), EXACT, ROUNDED)
    return np.asarray(np.abs(values - made) <= slack + EXACT * np.abs(made), dtype=bool)


def _telling(operation: str, terms: Terms, earlier: Sequence[Rows]) -> bool:
    """Not where one part is nearly always nothing: then two columns are equal, and the third is any that is zero."""
    result, one, other = terms
    if operation == "clock":
        return True
    values = {name: np.concatenate([rows.numbers[name] for rows in earlier if name in rows.numbers]) for name in terms}
    busy = min(np.mean(np.nan_to_num(values[name]) != (1 if operation == "*" else 0)) for name in (one, other))
    return bool(busy > 0.1 and np.nanstd(values[result]) > 0)


def _relation(operation: str, terms: Terms, earlier: Sequence[Rows]) -> Relation:
    result, one, other = terms

    def test(rows: Rows) -> Broken:
        if not has(rows, terms):
            return nothing(rows)
        both = kept(rows, terms)
        with np.errstate(invalid="ignore", over="ignore"):
            if operation == "clock":
                wrong = np.abs((rows.clock(one) - rows.clock(other) - rows.numbers[result]) % DAY) > EXACT
            else:
                first, second = rows.numbers[one], rows.numbers[other]
                made = first + second if operation == "+" else first * second
                wrong = ~_near(rows.numbers[result], made)
        return Broken(both, both & wrong)

    sign = {"+": "+", "*": "x", "clock": "-"}[operation]
    says = f"{result!r} = {one!r} {sign} {other!r}" + (" by the clock" if operation == "clock" else "")
    return Relation("equation", terms, says, test, [test(rows) for rows in earlier])
