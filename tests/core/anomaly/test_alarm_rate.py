"""The alarm rate is what pipeline.yaml says, at any number of rows and columns; and what matters is noticed."""

from random import Random
from typing import Any

import pytest

from dropforge.contracts.batch import Batch
from dropforge.contracts.examination import Examination
from dropforge.contracts.profile import ColumnProfile, Numbers, Profile
from dropforge.core.anomaly import Earlier, examine
from dropforge.core.anomaly.student import two_sided
from dropforge.core.profile.points import condensed

ONE_IN = 20


@pytest.mark.parametrize(("rows", "columns"), [(100, 2), (100, 30), (1500, 2), (1500, 12)])
def test_clean_batches_raise_no_more_alarms_than_stated(rows: int, columns: int) -> None:
    """60 clean batches after 3 to 11 others: at one in 20, more than 7 alarms come about once in a hundred runs."""
    random = Random(f"{rows} {columns}")
    alarms = 0
    for trial in range(60):
        made = [_clean(random, rows, columns) for _ in range(4 + trial % 9)]
        alarms += bool(_examined(made).anomalies)
    assert alarms <= 7


@pytest.mark.parametrize("columns", [2, 12])
def test_a_shift_that_matters_is_noticed_among_any_number_of_columns(columns: int) -> None:
    """A rate could be kept by never saying anything."""
    random = Random(columns)
    made = [_clean(random, 1500, columns) for _ in range(8)]
    made[-1].columns["n0"] = _numbers([random.gauss(1, 1) for _ in range(1500)])
    found = _examined(made)
    assert [one.column for one in found.anomalies] == ["n0"]


def test_many_rows_do_not_make_a_harmless_shift_an_alarm() -> None:
    """Half a per cent more rows below the median, in a million rows: thousands of standard errors, and nothing."""
    random = Random(3)
    made = [_clean(random, 2000, 2) for _ in range(8)]
    many = [Profile.model_validate(_scaled(one.model_dump(), 500)) for one in made[:1] * 8]
    shifted = _numbers([x - 0.012 for x, rows in _points(many[0], "n0") for _ in range(int(rows / 500))])
    many[-1].columns["n0"] = ColumnProfile.model_validate(_scaled({"c": shifted.model_dump()}, 500)["c"])
    assert many[-1].columns["n0"].rows == 1_000_000
    assert _examined(many).anomalies == []


def test_a_first_negative_value_is_news() -> None:
    """Five in a hundred below zero, close to it, where there never were any."""
    random = Random(4)
    made = [_clean(random, 1000, 2) for _ in range(7)]
    for n, profile in enumerate(made):
        flipped = 50 if n == 6 else 0
        profile.columns["n0"] = _numbers(
            [random.uniform(0.001, 1) * (-0.1 if at < flipped else 1) for at in range(1000)]
        )
    assert [one.statistic for one in _examined(made).anomalies] == ["first_negatives"]


def test_nothing_is_said_before_enough_is_known() -> None:
    """Two batches do not tell what is usual."""
    random = Random(1)
    found = _examined([_clean(random, 500, 2) for _ in range(3)])
    assert (found.judged, found.tests) == (False, 0)


def test_a_column_that_goes_empty_has_a_code_of_its_own() -> None:
    """A dead column is the most frequent fault of all."""
    random = Random(2)
    made = [_clean(random, 500, 3) for _ in range(6)]
    made[-1].columns["n1"] = made[-1].columns["n1"].model_copy(update={"present": 0, "readable": 0, "numbers": None})
    (found,) = _examined(made).anomalies
    assert (found.code, found.column) == ("column_empty", "n1")
    assert found.sentence == "'n1': 100.0% of its rows are empty; 0.0% to 0.0% in the 5 batches before."


@pytest.mark.parametrize(
    ("t", "freedom", "p"), [(2.776, 4, 0.05), (4.604, 4, 0.01), (1.96, 1e6, 0.05), (63.657, 1, 0.01)]
)
def test_tails_are_those_of_the_tables(t: float, freedom: float, p: float) -> None:
    """Critical values as in the NIST handbook, 1.3.6.7.2."""
    assert two_sided(t, freedom) == pytest.approx(p, rel=1e-3)


def _examined(made: list[Profile]) -> Examination:
    earlier = [Earlier(f"{n:03}", profile) for n, profile in enumerate(made[:-1])]
    return examine(Batch(pipeline="p", table="t", batch_id="now"), made[-1], earlier, ONE_IN, {})


def _clean(random: Random, rows: int, columns: int) -> Profile:
    made = {}
    for n in range(columns):
        if n % 2:
            made[f"n{n}"] = _categories(random.choices("abcdef", [40, 30, 15, 10, 4, 1], k=rows))
        else:
            made[f"n{n}"] = _numbers([random.gauss(0, 1) for _ in range(rows)])
    return Profile(batches=1, rows=rows, rejected=0, repeated=0, time=None, columns=made)


def _numbers(values: list[float]) -> ColumnProfile:
    count, mean = len(values), sum(values) / len(values)
    numbers = Numbers(
        count=count,
        min=min(values),
        max=max(values),
        mean=mean,
        squares=sum((value - mean) ** 2 for value in values),
        zeros=0,
        negatives=sum(value < 0 for value in values),
        whole=0,
        points=condensed(sorted((value, 1.0) for value in values)),
        exact=False,
    )
    return _column("number", count, {}, False).model_copy(update={"numbers": numbers, "hashes": list(range(count))})


def _categories(values: list[str]) -> ColumnProfile:
    counted = {value: values.count(value) for value in sorted(set(values), key=values.count, reverse=True)}
    return _column("category", len(values), counted, True)


def _column(kind: str, rows: int, values: dict[str, int], complete: bool) -> ColumnProfile:
    classes = dict.fromkeys(("upper", "lower", "digit", "padded", "foreign", "mojibake"), 0)
    return ColumnProfile.model_validate(
        {
            "type": kind,
            "rows": rows,
            "present": rows,
            "readable": rows,
            "hashes": list(range(len(values))),
            "values": values,
            "complete": complete,
            "patterns": {"a": rows},
            "classes": classes,
            "shortest": 1,
            "longest": 1,
            "characters": rows,
            "unreadable": {},
        }
    )


def _points(profile: Profile, name: str) -> list[tuple[float, float]]:
    numbers = profile.columns[name].numbers
    assert numbers is not None
    return numbers.points


def _scaled(said: dict[str, Any], times: int) -> dict[str, Any]:
    """Every count of a dumped profile so many times as large."""
    counts = {"rows", "present", "readable", "count", "negatives", "whole", "characters"}
    made: dict[str, Any] = {}
    for key, value in said.items():
        if key in counts:
            made[key] = value * times
        elif key == "points":
            made[key] = [(x, rows * times) for x, rows in value]
        elif key in ("values", "patterns", "classes"):
            made[key] = {x: rows * times for x, rows in value.items()}
        else:
            made[key] = _scaled(value, times) if isinstance(value, dict) else value
    return made
