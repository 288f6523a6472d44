"""Spoil months of the flights example in every way at every strength, and print the tables of `docs/benchmarks.md`.

    PYTHONPATH=.:shared python -m tests.benchmarks.corruption [--set held-out] [--strengths 0.05,0.2] [--json FILE]

Takes about three minutes of one core a set. The same seeds give the same table. Thresholds were chosen while looking at
the set `seen`; `held-out` (other months, airports and seed) and `shoppers` (other data) were looked at afterwards only.
"""

import argparse
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.benchmarks.corruption import kinds, shoppers
from tests.benchmarks.corruption.kinds import Kind
from tests.benchmarks.corruption.trial import AIRPORTS, Bench, Outcome, bench, names

STRENGTHS = (0.02, 0.05, 0.2, 1.0)
MATTERS = 0.05  # of the rows: what has to be caught


@dataclass(frozen=True)
class Trials:
    """Which kinds, in which files, from which seed."""

    bench: type[Bench]
    kinds: Sequence[Kind]
    files: dict[str, list[str]]
    seed: int


SETS = {
    "seen": Trials(
        Bench,
        kinds.KINDS,
        {
            "flights": ["flights-2013-06-EWR.csv.gz", "flights-2013-09-JFK.csv.gz", "flights-2013-11-LGA.csv.gz"],
            "weather": ["weather-2013-06.csv.gz", "weather-2013-09.csv.gz", "weather-2013-11.csv.gz"],
        },
        20131101,
    ),
    "held-out": Trials(
        Bench,
        kinds.KINDS,
        {
            "flights": ["flights-2013-05-LGA.csv.gz", "flights-2013-08-EWR.csv.gz", "flights-2013-10-JFK.csv.gz"],
            "weather": ["weather-2013-05.csv.gz", "weather-2013-08.csv.gz", "weather-2013-10.csv.gz"],
        },
        19991231,
    ),
    "shoppers": Trials(shoppers.Shoppers, shoppers.KINDS, {"sessions": shoppers.LAST}, 468),
}


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description="Measure what is noticed of corrupted batches.")
    parser.add_argument("--set", choices=SETS, default="seen", dest="chosen")
    parser.add_argument("--strengths", default=",".join(map(str, STRENGTHS)))
    parser.add_argument("--json", type=Path, help="write every outcome there")
    given = parser.parse_args()
    chosen = SETS[given.chosen]
    strengths = [float(share) for share in given.strengths.split(",")]
    with bench(chosen.bench) as used:
        print(false_alarms(used, given.chosen))
        outcomes = list(trials(used, chosen, strengths))
    print(table(outcomes, chosen.kinds, strengths))
    if given.json:
        given.json.write_text(json.dumps([asdict(one) for one in outcomes], indent=1, ensure_ascii=False))


def trials(used: Bench, chosen: Trials, strengths: Iterable[float]) -> Iterable[Outcome]:
    """Every kind, at every strength, in every file."""
    for kind in chosen.kinds:
        for share in strengths:
            for file in chosen.files[kind.table]:
                yield used.spoiled(kind, share, file, chosen.seed)


def false_alarms(used: Bench, chosen: str) -> str:
    """The clean files in order: twelve months of each airport and of the weather, or twelve files of sessions."""
    groups = {
        **{f"flights {airport}": [n for n in names("flights") if airport in n] for airport in AIRPORTS},
        "weather": names("weather"),
    }
    if chosen == "shoppers":
        groups = {"sessions": [*used.before(shoppers.LAST[-1]), shoppers.LAST[-1]]}
    lines = []
    for title, files in groups.items():
        found = {name: used.examined(name, used.clean(name)) for name in files}
        alarms = [f"{name}: {one.anomalies[0].sentence}" for name, one in found.items() if one.anomalies]
        judged = sum(one.judged for one in found.values())
        lines.append(f"| {title} | {len(files)} | {judged} | {len(alarms)} {' '.join(alarms)} |")
    return "\n".join(["| Clean files | files | judged | alarms |", "|---|---|---|---|", *lines, ""])


def table(outcomes: list[Outcome], each: Iterable[Kind], strengths: Sequence[float]) -> str:
    """How many of the trials were noticed, by whom, and diagnosed rightly."""
    heads = " | ".join(f"{share:.0%}" for share in strengths)
    lines = [f"| Corruption | {heads} | diagnosed rightly |", "|---" * (len(strengths) + 2) + "|"]
    for kind in each:
        mine = [one for one in outcomes if one.kind == kind.name]
        cells = []
        for share in strengths:
            at = [one for one in mine if one.share == share]
            by = "".join(
                mark for mark, got in (("h", any(o.noticed for o in at)), ("r", any(o.ruled for o in at))) if got
            )
            cells.append(f"{sum(one.caught for one in at)}/{len(at)} {by}".strip())
        counted = [one for one in mine if one.noticed and one.touched >= MATTERS]
        lines.append(f"| {kind.name} | {' | '.join(cells)} | {sum(one.right for one in counted)}/{len(counted)} |")
    large = [one for one in outcomes if one.touched >= MATTERS]
    seen = [one for one in large if one.noticed]
    lines += [
        "",
        f"Of {len(large)} trials that touch 5 % or more, {sum(one.caught for one in large)} were caught "
        f"({len(seen)} by history); of those {len(seen)}, {sum(one.right for one in seen)} were diagnosed rightly.",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
