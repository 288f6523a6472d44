"""The statistics by which a batch is compared: almost all are shares of rows, so that one yardstick fits them all.

Where a column's numbers lie is told by the shares at or below quantiles of the reference, categories by the shares of
its frequent values, times by the shares of each hour. What the reference has never seen is a share too.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from math import log

from dropforge.contracts.profile import ColumnProfile, Numbers, Profile

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
FREQUENT = 8  # values of a category that are followed one by one
FREQUENT_SHARE = 0.02
COMMON_HOUR = 0.01
BEYOND = 0.25  # of the width of the reference's middle, by which its range is widened: seasons and records are no news
KINDS_OF_NUMBERS: dict[str, Callable[[Numbers], int]] = {
    "first_zeros": lambda numbers: numbers.zeros,
    "first_negatives": lambda numbers: numbers.negatives,
    "first_fractions": lambda numbers: numbers.count - numbers.whole,
}


@dataclass(frozen=True)
class Key:
    """Which statistic: of which column ('' for the batch), of which kind, and of which value, quantile or hour."""

    column: str
    kind: str
    detail: str = ""


@dataclass(frozen=True)
class Share:
    """`rows` of `of` rows."""

    rows: float
    of: float


@dataclass(frozen=True)
class Amount:
    """A quantity on the scale on which it is compared, mostly a logarithm."""

    value: float


Statistics = dict[Key, Share | Amount]


def lasting(profile: Profile, reference: Profile) -> Statistics:
    """What is compared with the same of every earlier batch, at thresholds that `reference` gives."""
    found: Statistics = {Key("", "rows"): Amount(log(profile.rows + 1))}
    found[Key("", "rejected")] = Share(profile.rejected, profile.rows + profile.rejected)
    found[Key("", "repeated")] = Share(profile.repeated, profile.rows)
    if profile.span is not None:
        found[Key("", "span")] = Amount(log((profile.span[1] - profile.span[0]).total_seconds() + 3600))
    for name, known in reference.columns.items():
        if (column := profile.columns.get(name)) is not None:
            found.update(_of_column(name, column, known))
    return found


def fresh(profile: Profile, earlier: Profile) -> Statistics:
    """What the batch has that none of the batches merged in `earlier` had."""
    found: Statistics = {}
    for name, known in earlier.columns.items():
        column = profile.columns.get(name)
        if column is None or not known.present or not column.present:
            continue
        if known.complete:
            new = column.present - sum(rows for value, rows in column.values.items() if value in known.values)
            found[Key(name, "unseen")] = Share(new, column.present)
        if column.numbers and known.numbers and not known.clock:
            numbers = column.numbers
            margin = BEYOND * (known.numbers.quantile(0.95) - known.numbers.quantile(0.05))
            high = sum(rows for value, rows in numbers.points if value > known.numbers.max + margin)
            low = sum(rows for value, rows in numbers.points if value < known.numbers.min - margin)
            found[Key(name, "above")] = Share(high, numbers.count)
            found[Key(name, "below")] = Share(low, numbers.count)
            for kind, count in KINDS_OF_NUMBERS.items():
                if not count(known.numbers):
                    found[Key(name, kind)] = Share(count(numbers), numbers.count)
        if column.clock and known.clock:
            new = sum(n for n, before in zip(column.clock.hours, known.clock.hours, strict=True) if not before)
            found[Key(name, "new_hours")] = Share(new, column.readable)
        if known.numbers and not known.clock:  # how a number is written matters only where it cannot be read
            continue
        shapes = sum(rows for pattern, rows in column.patterns.items() if pattern in known.patterns)
        found[Key(name, "new_patterns")] = Share(sum(column.patterns.values()) - shapes, column.present)
    return found


def strays(column: ColumnProfile, reach: float) -> Share:
    """Rows of a time column that lie farther than `reach` days from the middle day."""
    days = _days(column)
    middle = _middle(days)
    return Share(sum(rows for day, rows in days if abs(day - middle) > reach), max(column.readable, 1))


def reach(column: ColumnProfile) -> float:
    """How many days most rows of a time column lie from the middle day at most: all but one in a thousand."""
    days = _days(column)
    middle = _middle(days)
    far = sorted((abs(day - middle), rows) for day, rows in days)
    below, wanted = 0, 0.999 * sum(rows for _, rows in far)
    for distance, rows in far:
        below += rows
        if below >= wanted:
            return max(distance, 1.0)
    return 1.0


def _of_column(name: str, column: ColumnProfile, known: ColumnProfile) -> Iterator[tuple[Key, Share | Amount]]:
    yield Key(name, "nulls"), Share(column.nulls, column.rows)
    if not column.present or not known.present:
        return
    yield Key(name, "unreadable"), Share(column.present - column.readable, column.present)
    yield Key(name, "distinct"), Amount(log(column.distinct + 1))
    for kind in ("upper", "lower", "padded", "foreign"):
        if column.classes[kind] or known.classes[kind]:
            yield Key(name, "class", kind), Share(column.classes[kind], column.present)
    if column.clock and known.clock:
        total = sum(known.clock.hours)
        for hour, rows in enumerate(known.clock.hours):
            if rows >= COMMON_HOUR * total:
                yield Key(name, "hour", str(hour)), Share(column.clock.hours[hour], column.readable)
    elif column.numbers and known.numbers:
        yield from _of_numbers(name, column.numbers, known.numbers)
    elif not known.numbers:
        frequent = [value for value, rows in known.values.items() if rows >= FREQUENT_SHARE * known.present]
        for value in frequent[:FREQUENT]:
            yield Key(name, "value", value), Share(column.values.get(value, 0), column.present)


def _of_numbers(name: str, numbers: Numbers, known: Numbers) -> Iterator[tuple[Key, Share]]:
    for share in QUANTILES:
        yield (
            Key(name, "at_most", f"{known.quantile(share):.6g}"),
            Share(numbers.at_most(known.quantile(share)), numbers.count),
        )
    for kind in ("zeros", "negatives", "whole"):
        before = getattr(known, kind)
        if 0 < before < known.count:
            yield Key(name, kind), Share(getattr(numbers, kind), numbers.count)


def _days(column: ColumnProfile) -> list[tuple[int, int]]:
    if column.clock is None:
        return []
    return [(date.fromisoformat(f"{day}-15"[:10]).toordinal(), rows) for day, rows in column.clock.days.items()]


def _middle(days: list[tuple[int, int]]) -> int:
    half, below = sum(rows for _, rows in days) / 2, 0
    for day, rows in sorted(days):
        below += rows
        if below >= half:
            return day
    return 0
