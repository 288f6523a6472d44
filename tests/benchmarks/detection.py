"""`python -m tests.benchmarks.detection [--runs 500]`: how soon a drop is seen, and how often there is none.

A deployment of five regions, each right in 80 % of its rows. After 3,000 rows of each region, one region, or every
region, falls to 75 %, or none does; then 3,000 more rows come. Dropforge's test observes the share of ten rows at a
time, against the level of 5,000 earlier rows as `monitor` sets its reference. River's ADWIN and Page-Hinkley observe
every row, and are shown 2,000 earlier rows first. Each detector runs at several settings; those that cry wolf in about
as many runs are to be compared. Without river its lines are left out.
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

    EVIDENCE = (*(sequential.threshold(rate, REGIONS) for rate in (0.01, 0.05)), 20.0, 5.0, 2.5, 1.5)
    NAMES = tuple(f"betting, evidence {evidence:g}" for evidence in EVIDENCE)

    def names(self) -> Sequence[str]:
        """As `Detector.names`."""
        return self.NAMES

    def warm(self, earlier: list[int]) -> None:
        """As `Detector.warm`."""
        self._test = sequential.begin(reference.of_observations(earlier, margin=0.0).reference)

    def give(self, portion: list[int]) -> list[str]:
        """As `Detector.give`."""
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
        yield River("ADWIN", "delta", (0.02, 0.002, 0.0002))
        yield River("PageHinkley", "threshold", (30.0, 50.0, 70.0, 100.0), mode="up")


Make = Callable[[], Iterable[Detector]]


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
        seen = [_region(dice, make) for _ in range(REGIONS)]
        for name in seen[0][0]:
            _count(outcomes.setdefault(name, Outcome()), [(calm[name], falls[name]) for calm, falls in seen])
    return outcomes


def _count(outcome: Outcome, firsts: list[tuple[float, float]]) -> None:
    calm, falls = zip(*firsts, strict=True)
    outcome.wolf += min(calm) <= BEFORE + AFTER
    outcome.elsewhere += min(*calm[1:], BEFORE + AFTER + 1) <= BEFORE + AFTER or falls[0] <= BEFORE
    if falls[0] > BEFORE:
        outcome.one.append(falls[0] - BEFORE)
    if min(falls) > BEFORE:
        outcome.every.append(min(falls) - BEFORE)


def _region(dice: random.Random, make: Make) -> tuple[dict[str, float], dict[str, float]]:
    """At which row each detector first alarmed: in a region that stays, and in the same that falls; else infinity."""
    calm: dict[str, float] = {}
    falls: dict[str, float] = {}
    earlier, before, good, bad = (
        [int(dice.random() < chance) for _ in range(rows)]
        for rows, chance in ((EARLIER, GOOD), (BEFORE, GOOD), (AFTER, GOOD), (AFTER, BAD))
    )
    for detector in make():
        detector.warm(earlier)
        _follow(detector, before, 0, calm)
        falls |= {name: row for name, row in calm.items() if name not in falls}
        other = copy.deepcopy(detector)
        _follow(detector, good, BEFORE, calm)
        _follow(other, bad, BEFORE, falls)
    names = [name for detector in make() for name in detector.names()]
    never = dict.fromkeys(names, float("inf"))
    return never | calm, never | falls


def _follow(detector: Detector, rows: list[int], start: int, found: dict[str, float]) -> None:
    for begin in range(0, len(rows), PORTION):
        for name in detector.give(rows[begin : begin + PORTION]):
            found.setdefault(name, start + begin + PORTION)


def main() -> None:
    """Print the table as Markdown."""
    parser = argparse.ArgumentParser(description="Delay and false alarms of detectors of a drop.")
    parser.add_argument("--runs", type=int, default=500)
    runs = parser.parse_args().runs
    print(
        "| detector | false alarms | one falls: another blamed | median delay | 90 % by | seen | every falls: median |"
    )
    print("|---|---|---|---|---|---|---|")
    for name, each in measure(runs).items():
        seen = sum(delay <= AFTER for delay in each.one) / runs
        late = sorted(each.one)[int(0.9 * len(each.one))] if each.one else float("nan")
        middle, first = (statistics.median(delays) if delays else float("nan") for delays in (each.one, each.every))
        print(
            f"| {name} | {each.wolf / runs:.1%} | {each.elsewhere / runs:.1%} | {middle:.0f} | {late:.0f} | {seen:.1%} "
            f"| {first:.0f} |"
        )


if __name__ == "__main__":
    main()
