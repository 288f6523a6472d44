"""A quick slice of `detection`: what it promises about false alarms and delay."""

import statistics

from tests.benchmarks import detection


def test_a_region_that_falls_is_told_from_those_that_do_not() -> None:
    """Twenty deployments of five regions; asked for are false alarms in at most one of a hundred."""
    runs = 20
    found = detection.measure(runs, make=lambda: [detection.Betting()])
    strict, usual = (found[name] for name in detection.Betting.NAMES[:2])
    assert strict.wolf <= 1
    assert strict.elsewhere <= 1
    assert statistics.median(usual.one) < detection.AFTER * 0.6
    assert statistics.median(usual.every) < statistics.median(usual.one)
