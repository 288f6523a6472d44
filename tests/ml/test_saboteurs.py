"""A quick slice of tests/benchmarks/saboteurs.py, whose table has 200 repeats of each."""

import pytest

from tests.benchmarks.saboteurs import CHALLENGERS, FRESHER, SUCCESS, rates

REPEATS = 4
HARMFUL = [name for name, (kind, _) in CHALLENGERS.items() if kind == "harmful"]


@pytest.fixture(scope="module")
def measured() -> dict[str, list[float]]:
    """The share of each challenger that passes, where the better is preferred and where the fresher is."""
    return rates(CHALLENGERS, REPEATS, SUCCESS, FRESHER)


@pytest.mark.parametrize("name", HARMFUL)
def test_what_does_harm_never_passes(measured: dict[str, list[float]], name: str) -> None:
    """The aim is under 1 %. What is exactly at the tolerance passes once in forty where the fresher is preferred."""
    better, fresher = measured[name]
    assert better == 0
    assert fresher == 0 or name == ".01 AUC worse"


def test_what_is_really_better_passes(measured: dict[str, list[float]]) -> None:
    """A judge that lets nothing through would pass every other test. The aim is 90 %."""
    assert measured["better by .01 AUC"][0] >= 0.75


def test_the_same_model_again_is_never_churned(measured: dict[str, list[float]]) -> None:
    """Not even by rounding: a difference of exactly zero is no gain."""
    assert measured["the same again"][0] == 0
