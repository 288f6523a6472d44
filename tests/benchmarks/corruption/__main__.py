"""Spoil months of the flights example in every way at every strength, and print the tables of `docs/benchmarks.md`.

    PYTHONPATH=.:shared python -m tests.benchmarks.corruption [--quick] [--json FILE]

Takes about five minutes. The same seeds give the same table.
"""

import argparse
import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

from tests.benchmarks.corruption.kinds import KINDS
from tests.benchmarks.corruption.trial import AIRPORTS, Bench, Outcome, bench, names

STRENGTHS = (0.02, 0.05, 0.2, 1.0)
FILES = {
    "flights": ["flights-2013-06-EWR", "flights-2013-09-JFK", "flights-2013-11-LGA"],
    "weather": ["weather-2013-06", "weather-2013-09", "weather-2013-11"],
}
SEED = 20131101


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description="Measure what is noticed of corrupted batches.")
    parser.add_argument("--quick", action="store_true", help="one file and two strengths a kind")
    parser.add_argument("--json", type=Path, help="write every outcome there")
    given = parser.parse_args()
    with bench() as used:
        print(false_alarms(used))
        outcomes = list(trials(used, given.quick))
    print(table(outcomes, (0.05, 1.0) if given.quick else STRENGTHS))
    if given.json:
        given.json.write_text(json.dumps([asdict(one) for one in outcomes], indent=1, ensure_ascii=False))


def trials(used: Bench, quick: bool) -> Iterable[Outcome]:
    """Every kind, at every strength, in every file."""
    for kind in KINDS:
        for share in (0.05, 1.0) if quick else STRENGTHS:
            for file in FILES[kind.table][: 1 if quick else None]:
                yield used.spoiled(kind, share, f"{file}.csv.gz", SEED)


def false_alarms(used: Bench) -> str:
    """The twelve clean months in order, of each airport and of the weather."""
    lines = []
    for title, files in [
        *((f"flights {airport}", [n for n in names("flights") if airport in n]) for airport in AIRPORTS),
        ("weather", names("weather")),
    ]:
        found = [used.examined(name, used.clean(name)) for name in files]
        alarms = sum(bool(one.anomalies) for one in found)
        lines.append(f"| {title} | {len(found)} | {sum(one.judged for one in found)} | {alarms} |")
    return "\n".join(["| Clean months | files | judged | false alarms |", "|---|---|---|---|", *lines, ""])


def table(outcomes: list[Outcome], strengths: Iterable[float]) -> str:
    """How many of the trials were noticed, by whom, and diagnosed rightly."""
    strengths = list(strengths)
    heads = " | ".join(f"{share:.0%}" for share in strengths)
    lines = [f"| Corruption | {heads} | diagnosed rightly |", "|---" * (len(strengths) + 2) + "|"]
    for kind in KINDS:
        mine = [one for one in outcomes if one.kind == kind.name]
        cells = []
        for share in strengths:
            at = [one for one in mine if one.share == share]
            by = "".join(
                mark for mark, got in (("h", any(o.noticed for o in at)), ("r", any(o.ruled for o in at))) if got
            )
            cells.append(f"{sum(one.caught for one in at)}/{len(at)} {by}".strip())
        counted = [one for one in mine if one.noticed and one.touched >= 0.05]
        lines.append(f"| {kind.name} | {' | '.join(cells)} | {sum(one.right for one in counted)}/{len(counted)} |")
    large = [one for one in outcomes if one.touched >= 0.05]
    seen = [one for one in large if one.noticed]
    lines += [
        "",
        f"Of {len(large)} trials that touch 5 % or more, {sum(one.caught for one in large)} were caught "
        f"({sum(one.noticed for one in large)} by history); of those {len(seen)}, "
        f"{sum(one.right for one in seen)} were diagnosed rightly.",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
