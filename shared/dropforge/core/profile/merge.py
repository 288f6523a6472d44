"""Two profiles made one: what profiling all their rows together would give, within the error that each part states.

Equal to it: counts, nulls, minima, maxima, lengths, classes, hours and days. Equal up to rounding: mean and variance
(Chan, Golub and LeVeque, 1979). `distinct`: equal, since the smallest hashes of a union are among the smallest of its
parts. Quantiles: a rank is off by less than 2 / KEPT_POINTS for each merge. Frequent values and patterns: exact while
both are complete; else a count may miss at most the smallest kept count of the other part. The sample: equal, where
both have the same columns. `repeated` does not know of rows that stand in both.
"""

from collections.abc import Iterable
from functools import reduce

from dropforge.contracts.profile import (
    KEPT_DAYS,
    KEPT_HASHES,
    KEPT_PATTERNS,
    KEPT_VALUES,
    Clocked,
    ColumnProfile,
    Numbers,
    Profile,
)
from dropforge.core.profile import drawing, points


def merged(profiles: Iterable[Profile]) -> Profile:
    """Several profiles of one table made one. At least one is expected."""
    return reduce(merge, profiles)


def merge(left: Profile, right: Profile) -> Profile:
    """The profile of the rows of both. A column that one lacks counts as empty there."""
    names = [*left.columns, *(name for name in right.columns if name not in left.columns)]
    return Profile(
        batches=left.batches + right.batches,
        rows=left.rows + right.rows,
        rejected=left.rejected + right.rejected,
        repeated=left.repeated + right.repeated,
        time=left.time or right.time,
        columns={name: _column(left.columns.get(name), right.columns.get(name), left, right) for name in names},
        sample=drawing.merged(left.sample, right.sample)
        if left.sample and right.sample
        else left.sample or right.sample,
    )


def _column(
    left: ColumnProfile | None, right: ColumnProfile | None, left_all: Profile, right_all: Profile
) -> ColumnProfile:
    if left is None or right is None:
        there = left or right
        if there is None:
            raise ValueError("Expected a column in at least one of two profiles. Found it in none.")
        return there.model_copy(update={"rows": left_all.rows + right_all.rows})
    values = _added(left.values, right.values)
    shortest = [side.shortest for side in (left, right) if side.present]
    return ColumnProfile(
        type=left.type,
        rows=left.rows + right.rows,
        present=left.present + right.present,
        readable=left.readable + right.readable,
        hashes=sorted({*left.hashes, *right.hashes})[:KEPT_HASHES],
        values=_most(values, KEPT_VALUES),
        complete=left.complete and right.complete and len(values) <= KEPT_VALUES,
        patterns=_most(_added(left.patterns, right.patterns), KEPT_PATTERNS),
        classes=_added(left.classes, right.classes),
        shortest=min(shortest, default=0),
        longest=max(left.longest, right.longest),
        characters=left.characters + right.characters,
        unreadable=_most(_added(left.unreadable, right.unreadable), KEPT_PATTERNS),
        numbers=_numbers(left.numbers, right.numbers),
        clock=_clock(left.clock, right.clock),
    )


def _numbers(left: Numbers | None, right: Numbers | None) -> Numbers | None:
    if left is None or right is None:
        return left or right
    count = left.count + right.count
    apart = right.mean - left.mean
    united = points.united(left.points, right.points)
    kept = points.condensed(united)
    return Numbers(
        count=count,
        min=min(left.min, right.min),
        max=max(left.max, right.max),
        mean=left.mean + apart * (right.count / count),
        squares=left.squares + right.squares + apart * apart * (left.count / count) * right.count,
        zeros=left.zeros + right.zeros,
        negatives=left.negatives + right.negatives,
        whole=left.whole + right.whole,
        points=kept,
        exact=left.exact and right.exact and len(kept) == len(united),
    )


def _clock(left: Clocked | None, right: Clocked | None) -> Clocked | None:
    if left is None or right is None:
        return left or right
    days = _added(left.days, right.days)
    if len(days) > KEPT_DAYS or len({len(day) for day in days}) > 1:
        months: dict[str, int] = {}
        for day, rows in days.items():
            months[day[:7]] = months.get(day[:7], 0) + rows
        days = months
    return Clocked(
        hours=[one + other for one, other in zip(left.hours, right.hours, strict=True)], days=dict(sorted(days.items()))
    )


def _added(left: dict[str, int], right: dict[str, int]) -> dict[str, int]:
    return {key: left.get(key, 0) + right.get(key, 0) for key in {**left, **right}}


def _most(counted: dict[str, int], kept: int) -> dict[str, int]:
    return dict(sorted(counted.items(), key=lambda item: (-item[1], item[0]))[:kept])
