"""The sequential test: no more false alarms than asked for, however often one looks, and soon where there is cause."""

import math
import random
import statistics

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dropforge.core.monitoring import sequential
from dropforge.core.monitoring.sequential import Test

values = st.lists(st.floats(0, 1), max_size=60)


def days(*observations: float) -> list[tuple[str, float]]:
    """Labelled observations."""
    return [(f"day {number}", value) for number, value in enumerate(observations)]


def alarms(stream: list[float], portion: int) -> bool:
    """Whether it alarms, at one in twenty, at any of the looks: one after each portion."""
    test = sequential.begin(0.8)
    for start in range(0, len(stream), portion):
        test = sequential.observed(test, days(*stream[start : start + portion]))
        if test.evidence >= sequential.threshold(0.05, 1):
            return True
    return False


def resolves(stream: list[tuple[str, float]]) -> bool:
    """Whether a recovery from 0.5 is believed, at one in a hundred, at any of the looks."""
    test = sequential.begin(0.5, falling=False, soon=True)
    for one in stream:
        test = sequential.observed(test, [one])
        if test.evidence >= sequential.threshold(0.01, 1):
            return True
    return False


@given(
    reference=st.floats(0.01, 0.99), chance=st.floats(0, 1), values=values, falling=st.booleans(), soon=st.booleans()
)
@settings(max_examples=200, deadline=None)
def test_no_fair_next_observation_raises_the_evidence_on_average(
    reference: float, chance: float, values: list[float], falling: bool, soon: bool
) -> None:
    """This is what makes it an e-process, after any history: Ville's inequality does the rest."""
    low, high = reference * (1 - chance), reference + (1 - reference) * chance
    share = (reference - low) / (high - low) if high > low else 1.0  # two values whose mean is the reference
    test = sequential.observed(sequential.begin(reference, falling=falling, soon=soon), days(*values))
    after = [sequential.observed(test, [("next", value)]).evidence for value in (high, low)]
    expected = share * after[0] + (1 - share) * after[1]
    assert expected <= test.evidence * (1 + 1e-9)


@given(values=values, cut=st.integers(0, 60))
def test_observations_may_come_in_any_portions(values: list[float], cut: int) -> None:
    """A batch of a month, or a row at a time: the same state, which goes through JSON unchanged."""
    whole = sequential.observed(sequential.begin(0.8), days(*values))
    first = sequential.observed(sequential.begin(0.8), days(*values)[:cut])
    again = Test.model_validate_json(first.model_dump_json())
    assert sequential.observed(again, days(*values)[cut:]) == whole


@given(reference=st.floats(0.05, 0.95), rights=st.lists(st.integers(0, 10), max_size=30), falling=st.booleans())
@settings(max_examples=100, deadline=None)
def test_rows_each_for_themselves_raise_no_evidence_on_average_either(
    reference: float, rights: list[int], falling: bool
) -> None:
    """All counts of right answers among ten, weighed by how likely they are at the reference."""
    test = sequential.begin(reference, falling=falling, rows=10)
    test = sequential.observed(test, days(*[right / 10 for right in rights]))
    expected = sum(
        math.comb(10, right)
        * reference**right
        * (1 - reference) ** (10 - right)
        * sequential.observed(test, [("next", right / 10)]).evidence
        for right in range(11)
    )
    assert expected <= test.evidence * (1 + 1e-9)


def test_it_cries_wolf_no_more_often_than_asked() -> None:
    """400 streams of 1,000 rows at the reference, looked at a hundred times each; asked for is one in twenty."""
    dice = random.Random(1)
    streams = [[float(dice.random() < 0.8) for _ in range(1000)] for _ in range(400)]
    assert sum(alarms(stream, 10) for stream in streams) <= 0.05 * 400


def test_days_that_hang_together_cry_no_wolf_either() -> None:
    """All rows of a day go wrong together; observed by the day, that is one observation and proves little."""
    dice = random.Random(2)
    streams = [[dice.choice([0.6, 1.0]) for _ in range(200)] for _ in range(200)]
    assert sum(alarms(stream, 1) for stream in streams) <= 0.05 * 200


def test_a_drop_is_found_dated_and_measured() -> None:
    """What the alert says, since when and what was seen, on the median of 25 streams that drop at row 1,000."""
    found = []
    for seed in range(25):
        dice = random.Random(seed)
        stream = [(str(row), float(dice.random() < (0.8 if row < 1000 else 0.6))) for row in range(1400)]
        test = sequential.observed(sequential.begin(0.8), stream)
        assert test.evidence > sequential.threshold(0.01, 20)
        found.append((int(test.since), test.mean_since))
    assert statistics.median(row for row, _ in found) == pytest.approx(1000, abs=30)
    assert statistics.median(mean for _, mean in found) == pytest.approx(0.6, abs=0.02)


def test_what_rises_does_not_fall() -> None:
    """A slice that gets better raises nothing, and its mirror image says so."""
    better = days(*[0.9] * 300)
    assert sequential.observed(sequential.begin(0.8), better).evidence < 1
    assert sequential.observed(sequential.begin(0.8, falling=False), better).evidence > 1000


def test_an_awaited_change_is_believed_sooner_and_no_more_often_without_cause() -> None:
    """What was mended is told of within weeks; what was not is called well in no more than one of a hundred alerts."""
    dice = random.Random(3)
    mended = days(*[dice.choice([0.65, 0.7, 0.75]) for _ in range(60)])
    first = [
        next(n for n in range(60) if sequential.observed(begun, mended[:n]).evidence >= 100)
        for begun in (sequential.begin(0.5, falling=False, soon=soon) for soon in (True, False))
    ]
    assert first[0] < first[1]
    never = [days(*[dice.choice([0.3, 0.7]) for _ in range(100)]) for _ in range(400)]
    wrongly = [resolves(stream) for stream in never]
    assert sum(wrongly) <= 0.01 * len(wrongly)


def test_a_slice_that_is_well_again_is_believed_within_a_month_of_days() -> None:
    """As in the flights: from .38 back to .63, days that spread by .08, one in a hundred; the median of 25 months."""
    delays = []
    for seed in range(25):
        dice = random.Random(seed)
        mended = days(*[min(max(dice.gauss(0.63, 0.08), 0.0), 1.0) for _ in range(90)])
        test = sequential.begin(0.48, falling=False, soon=True)
        delays.append(next(n for n in range(1, 90) if sequential.observed(test, mended[:n]).evidence >= 100))
    assert statistics.median(delays) <= 28


@pytest.mark.parametrize("wrong", [-0.1, 1.1, float("nan")])
def test_only_shares_are_taken(wrong: float) -> None:
    """A value outside would break the guarantee silently."""
    with pytest.raises(ValueError, match=r"from 0 to 1"):
        sequential.begin(wrong)
    with pytest.raises(ValueError, match=r"from 0 to 1 at day 0"):
        sequential.observed(sequential.begin(0.5), days(wrong))
