"""Where the times of a batch begin and end within their month, week or day: a file whose end was cut off ends early.

Which period batches keep to is found by looking: the one whose bounds the ends of earlier batches keep most closely for
its length. Where they keep to none, they lie anywhere in it, forecasts are poor, and nothing is unusual.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import pairwise

from dropforge.contracts.profile import Profile, moment
from dropforge.core.anomaly.statistics import Amount, Key

STRAY = 3.0  # times the longest usual gap between days with rows; what lies beyond is no part of the batch
DAY = timedelta(days=1)
ENOUGH = 2  # earlier batches that have times
SLACK = 0.003  # of a period: what a last event may be earlier by mere chance
MATTERS = 0.02


@dataclass(frozen=True)
class Bounds:
    """First and last time of the bulk of a batch, a day in its middle, and the longest gap (days) between days."""

    first: datetime
    last: datetime
    middle: date
    gap: float


def bounds(profile: Profile) -> Bounds | None:
    """None where the table has no time, or it is known by month only."""
    column = profile.columns.get(profile.time or "")
    if column is None or column.clock is None or column.numbers is None:
        return None
    days = [date.fromisoformat(day) for day in sorted(column.clock.days) if len(day) == 10]
    if not days:
        return None
    rows = [column.clock.days[day.isoformat()] for day in days]
    at = _middle(rows)
    gaps = sorted((later - earlier).days for earlier, later in pairwise(days))
    reach = STRAY * (gaps[int(0.9 * (len(gaps) - 1))] if gaps else 1)
    low = high = at
    while low > 0 and (days[low] - days[low - 1]).days <= reach:
        low -= 1
    while high + 1 < len(days) and (days[high + 1] - days[high]).days <= reach:
        high += 1
    inner = [(later - earlier).days for earlier, later in pairwise(days[low : high + 1])]
    first, last = moment(column.numbers.min), moment(column.numbers.max)
    if first.date() < days[low]:
        first = first.replace(year=days[low].year, month=days[low].month, day=days[low].day, hour=0, minute=0)
    if last.date() > days[high]:
        last = datetime.combine(days[high] + DAY, datetime.min.time(), last.tzinfo)
    return Bounds(first, last, days[at], float(max(inner, default=1)))


@dataclass(frozen=True)
class Coverage:
    """The statistics "begins" and "ends" of a batch and of those before it that have times: days from the bounds.

    Differences of up to `slack` days are no news, whatever the history; larger ones than `matters` are worth an alarm.
    """

    now: dict[Key, Amount] = field(default_factory=dict)
    series: dict[Key, list[tuple[int, float]]] = field(default_factory=dict)
    slack: float = 0.0
    matters: float = 0.0


def coverage(profile: Profile, earlier: Sequence[Profile]) -> Coverage:
    """Empty where there are no times to speak of. Days without rows, such as weekends, are no news at an end either."""
    mine = bounds(profile)
    found = [(at, known) for at, one in enumerate(earlier) if (known := bounds(one)) is not None]
    if mine is None or len(found) < ENOUGH:
        return Coverage()
    name = min(PERIODS, key=lambda one: _spread([ends(known, one) for _, known in found]) / LENGTHS[one])
    idle = max(known.gap for _, known in found) - 1
    told = {"begins": begins, "ends": ends}
    return Coverage(
        now={Key("", kind, name): Amount(measure(mine, name)) for kind, measure in told.items()},
        series={
            Key("", kind, name): [(at, measure(known, name)) for at, known in found] for kind, measure in told.items()
        },
        slack=idle + SLACK * LENGTHS[name],
        matters=idle + MATTERS * LENGTHS[name],
    )


def begins(known: Bounds, period: str) -> float:
    """Days from the period's begin to the first time; below zero if that is earlier."""
    return _days(known.first, PERIODS[period](known.middle)[0])


def ends(known: Bounds, period: str) -> float:
    """Days from the period's end to the last time: below zero if that is earlier."""
    return _days(known.last, PERIODS[period](known.middle)[1])


def _days(time: datetime, day: date) -> float:
    return (time - datetime.combine(day, datetime.min.time(), time.tzinfo)) / DAY


def _spread(values: Sequence[float]) -> float:
    return max(values) - min(values)


def _middle(rows: Sequence[int]) -> int:
    half, below = sum(rows) / 2, 0
    for at, count in enumerate(rows):
        below += count
        if below >= half:
            return at
    return 0


def _month(day: date) -> tuple[date, date]:
    first = day.replace(day=1)
    return first, (first + 31 * DAY).replace(day=1)


def _week(day: date) -> tuple[date, date]:
    first = day - day.weekday() * DAY
    return first, first + 7 * DAY


def _day(day: date) -> tuple[date, date]:
    return day, day + DAY


PERIODS: dict[str, Callable[[date], tuple[date, date]]] = {"month": _month, "week": _week, "day": _day}
LENGTHS = {"month": 30.0, "week": 7.0, "day": 1.0}
