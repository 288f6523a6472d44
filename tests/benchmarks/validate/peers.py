"""Other libraries over the same rows: runs in their environment, knows nothing of Dropforge, and prints JSON.

Each is given the rules that the example's pipeline.yaml has (not empty, within a range, one of a set), or asked for its
summary of all columns, in the form that its documentation shows.
"""

import json
import sys
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

RANGES = {
    "flight": (1, 9999),
    "sched_dep_time": (0, 2400),
    "sched_arr_time": (0, 2400),
    "distance": (10, 6000),
    "dep_time": (0, 2400),
    "dep_delay": (-120, 2880),
    "arr_time": (0, 2400),
    "arr_delay": (-180, 2880),
    "air_time": (10, 900),
    "temp": (-40, 130),
    "dewp": (-60, 100),
    "humid": (0, 100),
    "wind_speed": (0, 2000),
    "pressure": (850, 1100),
    "visib": (0, 100),
}
FILLED = ("time_hour", "origin", "dest", "carrier", "flight", "sched_dep_time", "sched_arr_time", "distance")
ORIGINS = ["EWR", "JFK", "LGA"]


def frame(path: Path) -> Any:
    """The rows with typed columns: what every one of these needs before it can begin."""
    pd = import_module("pandas")
    rows = import_module("pyarrow.parquet").read_table(path).drop_columns(["_row", "_line"]).to_pandas()
    for name in RANGES:
        rows[name] = pd.to_numeric(rows[name], errors="coerce")
    rows["time_hour"] = pd.to_datetime(rows["time_hour"], utc=True)
    return rows


def great_expectations(path: Path) -> None:
    """A suite of expectations over a frame."""
    gx = import_module("great_expectations")
    context = gx.get_context(mode="ephemeral")
    asset = context.data_sources.add_pandas("rows").add_dataframe_asset("rows")
    batch = asset.add_batch_definition_whole_dataframe("all").get_batch({"dataframe": frame(path)})
    suite = gx.ExpectationSuite(name="rules")
    for name, (low, high) in RANGES.items():
        suite.add_expectation(gx.expectations.ExpectColumnValuesToBeBetween(column=name, min_value=low, max_value=high))
    for name in FILLED:
        suite.add_expectation(gx.expectations.ExpectColumnValuesToNotBeNull(column=name))
    suite.add_expectation(gx.expectations.ExpectColumnValuesToBeInSet(column="origin", value_set=ORIGINS))
    suite.add_expectation(
        gx.expectations.ExpectCompoundColumnsToBeUnique(column_list=["time_hour", "carrier", "flight", "origin"])
    )
    assert batch.validate(suite).results


def pandera(path: Path) -> None:
    """A schema that collects every failure."""
    pa = import_module("pandera.pandas")
    columns = {
        name: pa.Column(
            nullable=name not in FILLED,
            checks=[pa.Check.in_range(*RANGES[name])]
            if name in RANGES
            else [pa.Check.isin(ORIGINS)]
            if name == "origin"
            else [],
        )
        for name in {*RANGES, *FILLED}
    }
    schema = pa.DataFrameSchema(columns, unique=["time_hour", "carrier", "flight", "origin"])
    try:
        schema.validate(frame(path), lazy=True)
    except pa.errors.SchemaErrors as errors:
        assert len(errors.failure_cases)


def evidently(path: Path) -> None:
    """The summary of all columns; it checks no rules."""
    summary = import_module("evidently.presets").DataSummaryPreset()
    assert import_module("evidently").Report([summary]).run(frame(path), None).dict()


PEERS: dict[str, tuple[Callable[[Path], None], list[str]]] = {
    "Great Expectations": (great_expectations, ["great_expectations"]),
    "pandera": (pandera, ["pandera.pandas"]),
    "Evidently": (evidently, ["evidently", "evidently.presets"]),
}


def main() -> None:
    """`peers.py NAME FILE`."""
    name, path = sys.argv[1:]
    contestant, modules = PEERS[name]
    for module in ["pandas", "pyarrow.parquet", *modules]:  # before the clock runs: some take ten seconds
        import_module(module)
    began, worked = time.perf_counter(), time.process_time()
    contestant(Path(path))
    seconds, cpu = time.perf_counter() - began, time.process_time() - worked
    status = Path("/proc/self/status").read_text()
    peak = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    print(json.dumps({"seconds": seconds, "cpu_seconds": cpu, "peak_mb": int(peak.split()[1]) / 1024}))


if __name__ == "__main__":
    main()
