"""A quick slice of `tests.benchmarks.corruption`: real months, spoiled wholly, are noticed and explained."""

import pytest

from tests.benchmarks.corruption.kinds import KINDS, Kind
from tests.benchmarks.corruption.trial import Bench, names

CHOSEN = {
    "miles as kilometres": 0.05,
    "minutes as seconds": 1.0,
    "sign flipped": 1.0,
    "five hours late": 1.0,
    "day and month exchanged": 1.0,
    "decimal comma": 0.2,
    "sentinel -99": 0.05,
    "re-cased": 0.05,
    "padded": 0.05,
    "re-coded": 1.0,
    "mojibake": 0.05,
    "two columns swapped": 1.0,
    "rows duplicated": 0.2,
    "truncated file": 0.5,
}


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.name in CHOSEN], ids=lambda kind: kind.name)
def test_a_corruption_is_noticed_and_its_cause_named(judges: Bench, kind: Kind) -> None:
    """September at JFK, or the weather of September, against the clean months before."""
    name = "flights-2013-09-JFK.csv.gz" if kind.table == "flights" else "weather-2013-09.csv.gz"
    outcome = judges.spoiled(kind, CHOSEN[kind.name], name, seed=7)
    assert outcome.noticed
    assert outcome.right, outcome.said


def test_clean_months_in_order_raise_no_alarm(judges: Bench) -> None:
    """Who cries wolf is switched off. One airport and the weather; the benchmark has all."""
    for name in [*(name for name in names("flights") if "JFK" in name), *names("weather")]:
        assert judges.examined(name, judges.clean(name)).anomalies == []
