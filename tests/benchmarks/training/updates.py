"""Flights month by month: brought up to date against trained anew: `python -m tests.benchmarks.training.updates`.

A model of January and February is updated by March and asked about April, updated by April, and so on; after five
updates it is trained anew, as `train` does. Beside it one that is trained anew on everything each month, and one that
is never touched. AUC on the month that follows, and the seconds that either took.
"""

import time

import numpy as np
import pyarrow as pa

from dropforge.ml import updating, window
from tests.benchmarks.training import data
from tests.benchmarks.training.windows import auc, learned, start


def main() -> None:
    """Print a line a month, and the means."""
    pipeline, rows = data.flights()
    times = window.times_of(pipeline, rows)
    static = model = learned(pipeline, rows.filter(pa.array(times < start(3))))
    reached = []
    print(f"{'month':6}{'update':>10}{'anew':>10}{'static':>10}   seconds: update, anew")
    for month in range(4, 13):
        before = rows.filter(pa.array(times < start(month)))
        new = rows.filter(pa.array((times >= start(month - 1)) & (times < start(month))))
        following = rows.filter(pa.array((times >= start(month)) & (times < start(month + 1))))
        began = time.perf_counter()
        if updating.updates(model) < updating.MOST_UPDATES:
            model = updating.updated(pipeline, model, new)
        else:
            model = learned(pipeline, before)
        took = time.perf_counter() - began
        began = time.perf_counter()
        anew = learned(pipeline, before)
        seconds = time.perf_counter() - began
        reached.append([auc(each, following) for each in (model, anew, static)])
        line = "".join(f"{value:10.4f}" for value in reached[-1])
        print(f"{month:<6}{line}   {took:.2f}, {seconds:.2f}", flush=True)
    print(f"{'mean':6}" + "".join(f"{value:10.4f}" for value in np.mean(reached, axis=0)))


if __name__ == "__main__":
    main()
