"""A quick slice of `tests.benchmarks.corruption`: real months, spoiled wholly, are noticed and explained."""

from random import Random

import pytest

from tests.benchmarks.corruption.kinds import KINDS, Kind, swap
from tests.benchmarks.corruption.trial import Bench, names, rows_of

CHOSEN = {
    "miles as kilometres": 0.05,
    "minutes as seconds": 1.0,
    "°F as °C": 0.05,
    "sign flipped": 0.05,
    "five hours late": 0.05,
    "local clock three hours off": 0.05,
    "values lost": 0.05,
    "day and month exchanged": 1.0,
    "decimal comma": 0.2,
    "sentinel -99": 0.05,
    "re-cased": 0.05,
    "padded": 0.05,
    "re-coded": 1.0,
    "mojibake": 0.05,
    "two columns swapped": 0.05,
    "rows duplicated": 0.2,
    "truncated file": 0.05,
}


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.name in CHOSEN], ids=lambda kind: kind.name)
def test_a_corruption_is_noticed_and_its_cause_named(judges: Bench, kind: Kind) -> None:
    """September at JFK, or the weather of September, against the clean months before."""
    name = "flights-2013-09-JFK.csv.gz" if kind.table == "flights" else "weather-2013-09.csv.gz"
    outcome = judges.spoiled(kind, CHOSEN[kind.name], name, seed=7)
    assert outcome.noticed
    assert outcome.right, outcome.said


def test_columns_exchanged_in_some_rows_are_not_told_of_as_something_else_too(judges: Bench) -> None:
    """Planned departures that hold arrivals look hours late. There is no repair then that would name both columns."""
    name = "flights-2013-09-JFK.csv.gz"
    _, profile = judges.profile(
        "flights", name, swap("sched_dep_time", "sched_arr_time")(rows_of(name), 0.1, Random(3))
    )
    (said,) = judges.examined(name, profile).diagnoses
    assert (said.column, said.cause, said.repair.yaml) == ("sched_arr_time", "columns_swapped", "")


def test_clean_months_in_order_raise_no_alarm(judges: Bench) -> None:
    """Who cries wolf is switched off. One airport and the weather; the benchmark has all.

    The weather of December is not clean: the original lacks its last 30 hours, and that is what is said.
    """
    said: dict[str, list[str]] = {}
    for name in [*(name for name in names("flights") if "JFK" in name), *names("weather")]:
        found = judges.examined(name, judges.clean(name))
        said |= {name: [cause.cause for cause in found.diagnoses]} if found.anomalies else {}
    assert said == {"weather-2013-12.csv.gz": ["truncated_file"]}
