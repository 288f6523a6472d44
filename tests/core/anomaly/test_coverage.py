"""A file whose end is missing is known by where it ends, whatever its length; files that keep no period are let be."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from dropforge.contracts.profile import Profile
from dropforge.core.anomaly.coverage import coverage
from tests.core.profile.measuring import profiled, table_of

TABLE = table_of(at="timestamp").model_copy(update={"time": "at"})


def hours(first: datetime, count: int, step: int = 6) -> Profile:
    """A batch with a row every few hours."""
    times = [first + timedelta(hours=step * n) for n in range(count)]
    return profiled({"at": [f"{time:%Y-%m-%dT%H:%M:%SZ}" for time in times]}, TABLE)


def month(number: int, days: int) -> Profile:
    """A month of 2013 from its first day, for so many days."""
    return hours(datetime(2013, number, 1, tzinfo=UTC), 4 * days)


def _ends(profile: Profile, earlier: Sequence[Profile]) -> tuple[str, float]:
    found = coverage(profile, earlier)
    (key,) = [key for key in found.now if key.kind == "ends"]
    return key.detail, round(found.now[key].value, 2)


def test_a_month_is_held_against_the_end_of_its_month() -> None:
    """By hand: the last row of each whole month is at 18:00 of its last day; April lacks two days."""
    earlier = [month(1, 31), month(2, 28), month(3, 31)]
    assert _ends(month(4, 30), earlier) == ("month", -0.25)
    assert _ends(month(4, 28), earlier) == ("month", -2.25)


def test_weeks_and_days_are_found_by_looking() -> None:
    """Nobody says how long a batch is."""
    weeks = [hours(datetime(2013, 1, 7 + 7 * n, tzinfo=UTC), 28) for n in range(4)]
    assert _ends(weeks[3], weeks[:3]) == ("week", -0.25)
    days = [hours(datetime(2013, 1, 7 + n, tzinfo=UTC), 24, step=1) for n in range(4)]
    assert _ends(days[3], days[:3]) == ("day", -0.04)


def test_a_stray_time_moves_no_end() -> None:
    """One row in 1970, or a century ahead, is not where the batch begins or ends."""
    whole = month(4, 30)
    times = [*(f"2013-04-{day:02}T{hour:02}:00:00Z" for day in range(1, 31) for hour in (0, 6, 12, 18)), "1970-01-01"]
    stray = profiled({"at": times}, TABLE)
    earlier = [month(1, 31), month(2, 28), month(3, 31)]
    assert _ends(stray, earlier) == _ends(whole, earlier)
    begins = [value.value for key, value in coverage(stray, earlier).now.items() if key.kind == "begins"]
    assert begins == [0.0]


def test_weekends_without_rows_are_slack() -> None:
    """Where days without rows are usual, a month may end two days early."""
    working = [
        profiled(
            {
                "at": [
                    f"{day:%Y-%m-%d}"
                    for day in (datetime(2013, number, 1, tzinfo=UTC) + timedelta(days=n) for n in range(28))
                    if day.weekday() < 5
                ]
            },
            TABLE,
        )
        for number in (1, 2, 3, 4)
    ]
    assert coverage(working[3], working[:3]).slack > 2
