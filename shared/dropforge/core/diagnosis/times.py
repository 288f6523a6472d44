"""Causes for a column of times: a clock or zone shift, day and month exchanged, a date that stands for no value."""

from collections.abc import Iterator
from datetime import date

from dropforge.contracts.examination import Repair
from dropforge.contracts.profile import ColumnProfile
from dropforge.core.diagnosis import suggest
from dropforge.core.diagnosis.candidate import Candidate
from dropforge.core.diagnosis.mixture import least_squares

EMPTY_DAYS = {"1970-01-01", "1900-01-01", "1899-12-30", "0001-01-01", "2000-01-01", "9999-12-31", "1969-12-31"}


def causes(name: str, column: ColumnProfile, known: ColumnProfile) -> Iterator[Candidate]:
    """Every cause that accounts for some of the movement of a column of times."""
    if column.clock is None or known.clock is None:
        return
    yield from _shifted(name, column.clock.hours, known.clock.hours)
    yield from _strays(name, column.clock.days)


def _shifted(name: str, hours: list[int], known: list[int]) -> Iterator[Candidate]:
    now = [rows / max(sum(hours), 1) for rows in hours]
    then = [rows / max(sum(known), 1) for rows in known]
    moved = [one - other for one, other in zip(now, then, strict=True)]
    if len([share for share in then if share > 0]) < 3:
        return
    for shift in range(1, 24):
        could = [then[(hour - shift) % 24] - then[hour] for hour in range(24)]
        found = least_squares(moved, could, [1.0] * 24)
        by = shift if shift <= 12 else shift - 24
        yield Candidate(
            "clock_shift",
            found.explained,
            found.share,
            f"{found.share:.0%} of its times are {abs(by)} hours {'late' if by > 0 else 'early'}, as in another zone",
            [f"Its hours of the day, moved by {by:+d}, explain {found.explained:.0%} of what changed."],
            suggest.repair(name, f"To undo it, move {name!r} by {-by:+d} hours.", shift_minutes=-60 * by),
        )


def _strays(name: str, days: dict[str, int]) -> Iterator[Candidate]:
    total = sum(days.values())
    months: dict[str, int] = {}
    for day, rows in days.items():
        months[day[:7]] = months.get(day[:7], 0) + rows
    main = max(months, key=lambda month: months[month])
    stray = {
        day: rows
        for day, rows in days.items()
        if len(day) == 10 and (abs(_months(day[:7], main)) > 1 or (day in EMPTY_DAYS and rows > 0.5 * total))
    }
    far = sum(stray.values())
    if not far:
        return
    empty = {day: rows for day, rows in stray.items() if day in EMPTY_DAYS or rows > 0.5 * far}
    if empty:
        day = max(empty, key=lambda one: empty[one])
        yield Candidate(
            "sentinel",
            empty[day] / far * (1.0 if day in EMPTY_DAYS else 0.8),
            empty[day] / total,
            f"{day} stands for no time",
            [f"{empty[day] / total:.1%} of its times are on {day}."],
            Repair(change=f"Read {day} as no value.", yaml=f'null_markers: [NA, "{day}T00:00:00Z"]'),
        )
    near = {main[5:], *(month[5:] for month in months if abs(_months(month, main)) <= 1)}
    swapped = sum(rows for day, rows in stray.items() if day[8:10] in near and _real(day))
    spread = len({day[5:7] for day in stray})
    if swapped and spread > 1:
        yield Candidate(
            "day_month_swap",
            swapped / far,
            far / total,
            f"day and month are exchanged in {far / total:.0%} of its times",
            [f"{far:,} times lie in {spread} other months, {swapped / far:.0%} on a day that is this file's month."],
            suggest.repair(name, f"To undo it, exchange day and month of {name!r} again.", dates="swapped"),
        )  # fmt: skip


def _months(one: str, other: str) -> int:
    return (int(one[:4]) - int(other[:4])) * 12 + int(one[5:7]) - int(other[5:7])


def _real(day: str) -> bool:
    try:
        date(int(day[:4]), int(day[8:10]), int(day[5:7]))
    except ValueError:
        return False
    return True
