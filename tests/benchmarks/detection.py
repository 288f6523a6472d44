"""`python -m tests.benchmarks.detection [--runs 500]`: how soon a drop is seen, and how often there is none.

A deployment of five regions, each right in 80 % of its rows. After 3,000 rows of each region, one region, or every
region, falls to 75 %, or none does; then 3,000 more rows come. Every detector watches each region, and all rows
together, as `monitor` watches the slice `all`. Dropforge's test observes the share of ten rows at a time, of all rows
the share of fifty, against the level of 5,000 earlier rows of each as `monitor` sets its reference. River's ADWIN and
Page-Hinkley observe every row, and are shown 2,000 earlier rows of each first. Each detector runs at several settings;
those that cry wolf in about as many runs are to be compared. Without river (detection.requirements.txt) its lines are
left out. The settings of Dropforge's test were chosen on the seed 1; report others.
"""

import argparse
import copy
import importlib
import importlib.util
import random
import statistics
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from dropforge.core.monitoring import reference, sequential

REGIONS, GOOD, BAD = 5, 0.80, 0.75
EARLIER, BEFORE, AFTER = 5000, 3000, 3000
SHOWN = 2000  # of the earlier rows, to river's detectors
PORTION = 10


class Detector(Protocol):
    """Is given rows, and tells at which settings it would have alarmed by now."""

    def names(self) -> Sequence[str]:
        """Its settings."""

    def warm(self, earlier: list[int]) -> None:
        """Show it rows from before it is asked."""

    def give(self, portion: list[int]) -> list[str]:
        """The settings at which it alarms with these rows."""


class Betting:
    """`core.monitoring.sequential`, alarming at several amounts of evidence.

    The first two are what false alarms in at most 1 % and 5 % of all deployments ask for, over all regions; those below
    are asked for by nothing, and are here to compare with the others at rates as high as theirs.
    """

    EVIDENCE = (*(sequential.threshold(rate, REGIONS + 1) for rate in (0.01, 0.05)), 20.0, 5.0, 2.5, 1.5)
    NAMES = tuple(f"betting, evidence {evidence:g}" for evidence in EVIDENCE)

    def names(self) -> Sequence[str]:
        """As `Detector.names`."""
        return self.NAMES

    def warm(self, earlier: list[int]) -> None:
        """As `Detector.warm`."""
        self._reference = reference.of_observations(earlier, margin=0.0).reference
        self._test: sequential.Test | None = None

    def give(self, portion: list[int]) -> list[str]:
        """As `Detector.give`."""
        if self._test is None:
            self._test = sequential.begin(self._reference, rows=len(portion))
        self._test = sequential.observed(self._test, [("", sum(portion) / len(portion))])
        evidence = self._test.evidence
        return [name for name, wanted in zip(self.NAMES, self.EVIDENCE, strict=True) if evidence >= wanted]


class River:
    """One of river's drift detectors, at several settings, on whether each row is wrong."""

    def __init__(self, kind: str, setting: str, values: tuple[float, ...], **fixed: Any) -> None:
        make = getattr(importlib.import_module("river.drift"), kind)
        self._made = {f"{kind}, {setting} {value:g}": make(**{setting: value}, **fixed) for value in values}

    def names(self) -> Sequence[str]:
        """As `Detector.names`."""
        return list(self._made)

    def warm(self, earlier: list[int]) -> None:
        """As `Detector.warm`."""
        self.give(earlier[-SHOWN:])

    def give(self, portion: list[int]) -> list[str]:
        """As `Detector.give`."""
        return [name for name, each in self._made.items() if _rises(each, portion)]


def _rises(detector: Any, portion: list[int]) -> bool:
    for right in portion:
        before = getattr(detector, "estimation", 0.0)
        detector.update(1 - right)
        # ADWIN tells of any change; that the region got better is no alarm.
        if detector.drift_detected and getattr(detector, "estimation", 1.0) > before:
            return True
    return False


def detectors() -> Iterator[Detector]:
    """Those that can run here, fresh."""
    yield Betting()
    if importlib.util.find_spec("river"):
        yield River("ADWIN", "delta", (0.05, 0.02, 0.01, 0.002))
        yield River("PageHinkley", "threshold", (50.0, 60.0, 70.0, 80.0, 100.0), mode="up")


Make = Callable[[], Iterable[Detector]]
Rows = dict[str, list[int]]


@dataclass
class Outcome:
    """Of one detector at one setting, over all runs: runs with a false alarm, and delays in rows of the region."""

    wolf: int = 0  # nothing changed, and it alarmed
    elsewhere: int = 0  # one region fell, and it alarmed for another, or too early
    one: list[float] = field(default_factory=list)
    every: list[float] = field(default_factory=list)


def measure(runs: int, seed: int = 1, make: Make = detectors) -> dict[str, Outcome]:
    """All detectors on the same streams."""
    outcomes: dict[str, Outcome] = {}
    for run in range(runs):
        dice = random.Random(f"{seed} {run}")
        regions = [_rows(dice) for _ in range(REGIONS)]
        seen = [_watched(rows, PORTION, make) for rows in regions]
        together = _watched(_together(regions), PORTION * REGIONS, make)
        for name in seen[0][0]:
            firsts = [(calm[name], falls[name]) for calm, falls in seen]
            _count(outcomes.setdefault(name, Outcome()), firsts, [each[name] / REGIONS for each in together])
    return outcomes


def _count(outcome: Outcome, firsts: list[tuple[float, float]], together: list[float]) -> None:
    """All in rows of a region: when each region's detector alarmed, and when that of all rows did."""
    calm, falls = zip(*firsts, strict=True)
    early = together[0] <= BEFORE
    outcome.wolf += min(*calm, together[0]) <= BEFORE + AFTER
    outcome.elsewhere += min(calm[1:]) <= BEFORE + AFTER or falls[0] <= BEFORE or early
    if falls[0] > BEFORE:
        outcome.one.append(falls[0] - BEFORE)
    if min(*falls, together[1]) > BEFORE:
        outcome.every.append(min(*falls, together[1]) - BEFORE)


def _rows(dice: random.Random) -> Rows:
    """The rows of a region: 1 for a right answer."""
    parts = {"earlier": (EARLIER, GOOD), "before": (BEFORE, GOOD), "stays": (AFTER, GOOD), "falls": (AFTER, BAD)}
    return {name: [int(dice.random() < chance) for _ in range(rows)] for name, (rows, chance) in parts.items()}


def _together(regions: list[Rows]) -> Rows:
    """The rows of all regions as they come, one of each in turn."""
    return {
        name: [row for each in zip(*(rows[name] for rows in regions), strict=True) for row in each]
        for name in regions[0]
    }


def _watched(rows: Rows, portion: int, make: Make) -> tuple[dict[str, float], dict[str, float]]:
    """At which row each detector first alarmed: where nothing changes, and where it falls; else infinity."""
    calm: dict[str, float] = {}
    falls: dict[str, float] = {}
    for detector in make():
        detector.warm(rows["earlier"])
        _follow(detector, rows["before"], 0, portion, calm)
        falls |= {name: row for name, row in calm.items() if name not in falls}
        other = copy.deepcopy(detector)
        _follow(detector, rows["stays"], len(rows["before"]), portion, calm)
        _follow(other, rows["falls"], len(rows["before"]), portion, falls)
    names = [name for detector in make() for name in detector.names()]
    never = dict.fromkeys(names, float("inf"))
    return never | calm, never | falls


def _follow(detector: Detector, rows: list[int], start: int, portion: int, found: dict[str, float]) -> None:
    for begin in range(0, len(rows), portion):
        for name in detector.give(rows[begin : begin + portion]):
            found.setdefault(name, start + begin + portion)


def main() -> None:
    """Print the table as Markdown."""
    parser = argparse.ArgumentParser(description="Delay and false alarms of detectors of a drop.")
    parser.add_argument("--runs", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    runs = given.runs
    print(
        "| detector | false alarms | one falls: another blamed | median delay | 90 % by | seen | every falls: median |"
    )
    print("|---|---|---|---|---|---|---|")
    for name, each in measure(runs, given.seed).items():
        seen = sum(delay <= AFTER for delay in each.one) / runs
        late = sorted(each.one)[int(0.9 * len(each.one))] if each.one else float("nan")
        middle, first = (statistics.median(delays) if delays else float("nan") for delays in (each.one, each.every))
        print(
            f"| {name} | {each.wolf / runs:.1%} | {each.elsewhere / runs:.1%} | {middle:.0f} | {late:.0f} | {seen:.1%} "
            f"| {first:.0f} |"
        )


if __name__ == "__main__":
    main()
