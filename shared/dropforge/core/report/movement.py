"""How far a column lies from the same column before: the share of its rows that would have to change."""

from dropforge.contracts.profile import ColumnProfile, Numbers

STEPS = 24  # of a histogram


def moved(column: ColumnProfile, known: ColumnProfile) -> float:
    """In [0, 1]: the largest of the differences in nulls, and in how the values are spread.

    For numbers the distance of Kolmogorov and Smirnov, for categories and hours half the sum of the differences of
    shares, values that are not among the most frequent taken as one.
    """
    nulls = abs(column.nulls / max(column.rows, 1) - known.nulls / max(known.rows, 1))
    if column.clock and known.clock:
        hours = [dict(enumerate(map(float, one))) for one in (column.clock.hours, known.clock.hours)]
        return max(nulls, _varied(hours[0], hours[1]))
    if column.numbers and known.numbers:
        return max(nulls, _apart(column.numbers, known.numbers))
    if not column.present or not known.present:
        return nulls
    return max(nulls, _varied(_shares(column), _shares(known)))


def histogram(numbers: Numbers, low: float, high: float) -> list[float]:
    """Shares of rows in `STEPS` equal steps from `low` to `high`; what lies outside is in the outer ones."""
    counted = [0.0] * STEPS
    for value, rows in numbers.points:
        at = int((value - low) / (high - low) * STEPS) if high > low else 0
        counted[min(max(at, 0), STEPS - 1)] += rows / numbers.count
    return counted


def _shares(column: ColumnProfile) -> dict[object, float]:
    listed: dict[object, float] = {value: float(rows) for value, rows in column.values.items()}
    listed[None] = column.present - sum(listed.values())
    return listed


def _varied(one: dict[object, float] | dict[int, float], other: dict[object, float] | dict[int, float]) -> float:
    first: dict[object, float] = dict(one.items())
    second: dict[object, float] = dict(other.items())
    here, there = sum(first.values()) or 1.0, sum(second.values()) or 1.0
    return sum(abs(first.get(key, 0) / here - second.get(key, 0) / there) for key in {**first, **second}) / 2


def _apart(one: Numbers, other: Numbers) -> float:
    ends = sorted([(x, n / one.count) for x, n in one.points] + [(x, -n / other.count) for x, n in other.points])
    most, now = 0.0, 0.0
    for at, (value, share) in enumerate(ends):
        now += share
        if at + 1 == len(ends) or ends[at + 1][0] != value:
            most = max(most, abs(now))
    return most
