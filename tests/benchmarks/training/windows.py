"""Flights by month: retrained on each window against static.

    python -m tests.benchmarks.training.windows [--months 3 12]

For each month from March on, a model of what lies before predicts it: of all of it, of its last 30, 60 or 120 days,
with weights that halve every 45 days, of the window that `auto` chooses from that past alone, and of January and
February once and for all (static). All by the same boosting; the AUC on the month is what is printed.
"""

import argparse
import time
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa

from dropforge.contracts.pipeline import Pipeline
from dropforge.contracts.pipeline.window import Window
from dropforge.ml import fit, score, serving, window
from dropforge.ml.rows import columns_of, labels_of, weights_of
from tests.benchmarks.training import data

WINDOWS = {
    "all": "all",
    "30 d": Window(days=30),
    "60 d": Window(days=60),
    "120 d": Window(days=120),
    "half 45 d": Window(half_life_days=45.0),
    "auto": "auto",
}


def main() -> None:
    """Print a line a month, and the means."""
    parser = argparse.ArgumentParser(description="Windows of the past, month by month.")
    parser.add_argument("--months", type=int, nargs=2, default=[3, 12], metavar=("FIRST", "LAST"))
    first, last = parser.parse_args().months
    pipeline, rows = data.flights(search_seconds=3.0)
    times = window.times_of(pipeline, rows)
    static = learned(pipeline, rows.filter(pa.array(times < start(3))))
    names = [*WINDOWS, "static"]
    print(f"{'month':6}" + "".join(f"{name:>10}" for name in names) + "   auto chose, in seconds")
    reached = []
    for month in range(first, last + 1):
        before = rows.filter(pa.array(times < start(month)))
        following = rows.filter(pa.array((times >= start(month)) & (times < start(month + 1))))
        values, told, seconds = _month(pipeline, before, following)
        reached.append([*values, auc(static, following)])
        print(
            f"{month:<6}" + "".join(f"{value:10.4f}" for value in reached[-1]) + f"   {told}, {seconds:.1f} s",
            flush=True,
        )
    print(f"{'mean':6}" + "".join(f"{value:10.4f}" for value in np.mean(reached, axis=0)))


def _month(pipeline: Pipeline, before: pa.Table, following: pa.Table) -> tuple[list[float], str, float]:
    values = []
    for rule in WINDOWS.values():
        asked = pipeline.model_copy(update={"training": pipeline.training.model_copy(update={"window": rule})})
        began = time.perf_counter()
        past = window.past(asked, before)
        seconds = time.perf_counter() - began
        values.append(auc(learned(pipeline, past.rows), following))
    return values, past.window, seconds


def learned(pipeline: Pipeline, rows: pa.Table) -> object:
    return fit.fit(pipeline, columns_of(rows), labels_of(rows), weights=weights_of(rows))


def auc(model: object, rows: pa.Table) -> float:
    return score.roc_auc(labels_of(rows), serving.given(model, columns_of(rows)))


def start(month: int) -> np.datetime64:
    moment = datetime(2013 + (month - 1) // 12, (month - 1) % 12 + 1, 1, 5, tzinfo=UTC)  # midnight in New York
    return np.datetime64(moment.replace(tzinfo=None), "us")


if __name__ == "__main__":
    main()
