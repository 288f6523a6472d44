"""Seconds from a month's files to the answer by the model that learned from them.

`python -m tests.benchmarks.drop_to_served [--months 4]` starts a `./deploy.sh local` on the example's first month; then
each further month's weather is taken in, and the clock runs from the drop of its three flights files until `predict`
names the version trained on them. Steps are told by the times of the objects that end them. Overhead is what is left of
the whole once a bare reading of the same files by DuckDB and the training's own reading, fitting and scoring are taken
off: events, starts, checks, rules, profiles, the judge, the registry, the deployment and the rehearsal. The aim is
under 2 s. A month whose model was refused is told as such.
"""

import argparse
import os
import tempfile
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from statistics import median

import duckdb
import requests

from dropforge.contracts import places
from dropforge.core import pipelines
from dropforge.gcp.services import Services
from infra.commands import deployment
from infra.local import example, follow
from tests.journeys.running import REPO, Run
from tests.waiting import until

DATA = REPO / "examples" / "flights" / "data"
PATIENCE = (300, 0.01)  # seconds in all, and between two looks
WORK = ("read", "fit", "score")  # of the training's own steps


@dataclass
class Month:
    """Seconds by step, and what of them is work that nobody could leave out."""

    period: str
    steps: dict[str, float]
    work: dict[str, float]

    @property
    def whole(self) -> float:
        """From the drop to the answer."""
        return sum(self.steps.values())

    @property
    def overhead(self) -> float:
        """What is neither parsing, nor reading, fitting or scoring."""
        return self.whole - sum(self.work.values())


def measure(period: str, drops: list[example.Drop], services: Services, url: str) -> Month | None:
    """One month; None where its model was refused."""
    state, landing = services.state, services.landing
    pipeline, _ = pipelines.load(state, "flights")
    joined = [follow.Followed(example.drop_file(drop, pipeline, landing)) for drop in drops if drop.table == "weather"]
    until(lambda: all(one.verdict or (one.look(state) and one.verdict) for one in joined), *PATIENCE)
    flights = [drop for drop in drops if drop.table == "flights"]
    question = requests.get(f"{url}/v1/pipelines/flights", timeout=30).json()["example"]
    began = time.time()
    batches = [example.drop_file(drop, pipeline, landing) for drop in flights]
    training = follow.Training("flights", frozenset(batch.batch_id for batch in batches))
    until(lambda: training.look(state) and training.settled, *PATIENCE)
    if not training.version or training.candidate is None:
        return None

    def answered() -> bool:
        told = requests.post(f"{url}/v1/pipelines/flights:predict", json=question, timeout=30).json()
        return bool(told["predictions"][0]["version"] == training.version)

    until(answered, *PATIENCE)
    ended = time.time()
    candidate = places.candidate("flights", training.candidate.candidate_id, "candidate.json")
    marks = {
        "files read": max(_at(services, places.staged_record(batch)) for batch in batches),
        "rows judged": max(_at(services, places.batch_verdict(batch)) for batch in batches),
        "model trained": _at(services, candidate),
        "model judged": _at(services, places.model_verdict("flights", training.candidate.candidate_id)),
        "made champion": _at(services, places.champion("flights")),
        "answers": ended,
    }
    steps = {name: late - early for (name, late), early in zip(marks.items(), [began, *marks.values()], strict=False)}
    work = {"parse": _parse([drop.path for drop in flights])}
    work |= {name: training.candidate.seconds[name] for name in WORK}
    return Month(period, steps, work)


def _at(services: Services, place: str) -> float:
    return datetime.fromisoformat(services.state.stat(place).updated).timestamp()


def _parse(paths: list[Path]) -> float:
    began = time.perf_counter()
    duckdb.read_csv([str(path) for path in paths]).to_arrow_table()
    return time.perf_counter() - began


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--months", type=int, default=4, help="how many are measured, after the first")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        run = Run(Path(folder), "--months", "1")
        try:
            run.until("everything stays up", 400)
            services = deployment.connect(Path(folder))
            url = os.environ["ROUTER_EMULATOR_CONTROL"].partition("/_emulator")[0]
            pipeline, _ = pipelines.load(services.state, "flights")
            periods = list(example.periods(DATA, pipeline).items())[1 : given.months + 1]
            found = [measure(period, drops, services, url) for period, drops in periods]
        finally:
            run.process.terminate()
            run.finish()
    _show([month for month in found if month])
    print(f"{found.count(None)} of {len(found)} months' models were refused. Load: {os.getloadavg()[0]:.1f}")


def _show(months: list[Month]) -> None:
    print("| seconds | " + " | ".join(month.period for month in months) + " | median |")
    print("|---" * (len(months) + 2) + "|")
    for name in months[0].steps:
        _row(f"until: {name}", [month.steps[name] for month in months])
    _row("**the whole**", [month.whole for month in months])
    for name in months[0].work:
        _row(f"of which: {name}", [month.work[name] for month in months])
    _row("**overhead**", [month.overhead for month in months])


def _row(name: str, values: list[float]) -> None:
    print(f"| {name} | " + " | ".join(f"{value:.2f}" for value in [*values, median(values)]) + " |")


if __name__ == "__main__":
    main()
