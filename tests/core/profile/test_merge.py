"""Two profiles add up to the profile of all their rows: what lets history, shards and streams share one profile."""

from collections.abc import Sequence
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dropforge.contracts.profile import KEPT_POINTS, Numbers, Profile
from dropforge.core.profile import merge, merged
from tests.core.profile.measuring import profiled, table_of

TABLE = table_of(x="number", c="category", t="timestamp")
Row = tuple[str | None, str | None, str]
ROW = st.tuples(
    st.one_of(st.none(), st.integers(-50, 50).map(str), st.floats(-1e6, 1e6).map(repr), st.just("no number")),
    st.one_of(st.none(), st.sampled_from(["EWR", "ewr", " JFK", "Zürich", "007", ""])),
    st.datetimes().map(lambda at: at.strftime("%Y-%m-%dT%H:%M:%SZ").rjust(20, "0")),
)
ROWS = st.lists(ROW, min_size=1, max_size=40)


def of(rows: Sequence[Row]) -> Profile:
    """The profile of rows of (x, c, t)."""
    return profiled(dict(zip("xct", zip(*rows, strict=True), strict=True)), TABLE)


@settings(max_examples=25, deadline=None)
@given(ROWS, ROWS)
def test_merging_is_profiling_the_union(left: list[Row], right: list[Row]) -> None:
    """Few rows: every part of the profile is exact, but for the rounding of sums and rows that stand in both."""
    both, whole = merge(of(left), of(right)), of(left + right)
    assert _without_sums(both) == _without_sums(whole)
    for name in "xt":
        one, other = both.columns[name].numbers, whole.columns[name].numbers
        if one and other:
            width = max(abs(other.min), abs(other.max), 1.0)
            assert one.mean == pytest.approx(other.mean, abs=1e-9 * width)
            assert one.squares == pytest.approx(other.squares, rel=1e-6, abs=1e-9 * width**2)


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(["normal", "spiked", "skewed"]))
def test_quantiles_of_many_merges_are_off_by_no_more_than_stated(seed: int, shape: str) -> None:
    """A rank may be off by a point's rows when measured and again in each merge."""
    random = Random(seed)
    drawn = [_draw(random, shape) for _ in range(6000)]
    parts = [drawn[begin : begin + 2000] for begin in range(0, 6000, 2000)]
    both = merged(of([(repr(x), "a", "2013-01-01") for x in part]) for part in parts)
    numbers = both.columns["x"].numbers
    assert numbers is not None
    assert len(numbers.points) <= 2 * KEPT_POINTS
    ordered = sorted(drawn)
    for share in (0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99):
        value = numbers.quantile(share)
        below = sum(x < value for x in ordered) / len(ordered)
        at_most = sum(x <= value for x in ordered) / len(ordered)
        assert below - 2 * 3 / KEPT_POINTS <= share <= at_most + 2 * 3 / KEPT_POINTS


def test_a_value_that_many_rows_share_stays_exact() -> None:
    """A sentinel or a zero must not be smeared over its neighbours."""
    random = Random(5)
    rows = [(repr(0.0 if n % 4 == 0 else random.uniform(-1, 1)), "a", "2013-01-01") for n in range(4000)]
    numbers = merge(of(rows[:2000]), of(rows[2000:])).columns["x"].numbers
    assert numbers is not None
    assert dict(numbers.points)[0.0] == 1000
    assert all(one < other for (one, _), (other, _) in pairwise(numbers.points))


def test_distinct_values_are_counted_within_the_stated_error() -> None:
    """5,000 of which 1,000 are in both halves: four standard errors of 4.4 %."""
    rows = [(str(n), f"id {n}", "2013-01-01") for n in range(5000)]
    both = merge(of(rows[:3000]), of(rows[2000:]))
    assert both.columns["c"].distinct == pytest.approx(5000, rel=4 * 0.044)
    assert both.columns["c"].hashes == of(rows).columns["c"].hashes


def test_merging_in_any_order_gives_the_same() -> None:
    """Shards arrive as they like."""
    parts = [of([(str(n * k), "ab"[n % 2], f"2013-0{k}-01") for n in range(50)]) for k in (1, 2, 3)]
    assert _without_sums(merged(parts)) == _without_sums(merged(parts[::-1]))


def _draw(random: Random, shape: str) -> float:
    if shape == "spiked" and random.random() < 0.3:
        return 9999.0
    return random.lognormvariate(0, 2) if shape == "skewed" else random.gauss(0, 1)


def _without_sums(profile: Profile) -> dict[str, object]:
    """A profile but for what is rounded or, by contract, not known of a union."""
    said = profile.model_dump(exclude={"batches", "repeated"})
    for column in said["columns"].values():
        for part in ("mean", "squares"):
            (column["numbers"] or {}).pop(part, None)
    return said


def test_numbers_give_back_their_moments() -> None:
    """By hand: 1, 2, 3, 4 have the mean 2.5 and the variance 1.25."""
    numbers = of([(str(n), "a", "2013-01-01") for n in (1, 2, 3, 4)]).columns["x"].numbers
    assert isinstance(numbers, Numbers)
    assert (numbers.mean, numbers.variance, numbers.quantile(0.5), numbers.at_most(3)) == (2.5, 1.25, 2.0, 3.0)
