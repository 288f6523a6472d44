"""Profile and judge a million flights, beside DuckDB's bare SUMMARIZE.

    PYTHONPATH=.:shared python -m tests.benchmarks.validate [--rows 1000000]

Each contestant runs in a process of its own, one after the other, over the same Parquet file of text.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import duckdb

from dropforge.contracts.batch import Batch, Source
from dropforge.contracts.pipeline import Table, parse
from dropforge.contracts.verdicts import Staged

EXAMPLE = Path(__file__).parents[3] / "examples" / "flights"


def main() -> None:
    """Measure each, and print a table with ratios to the bare pass."""
    parser = argparse.ArgumentParser(description="Measure what profiling and judging cost.")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--contestant", help=argparse.SUPPRESS)
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.contestant:
        print(json.dumps(_timed(CONTESTANTS[given.contestant], given.file)))
        return
    with tempfile.TemporaryDirectory(prefix="dropforge-validate-") as folder:
        rows = Path(folder) / "rows.parquet"
        _write(rows, given.rows)
        found: dict[str, dict[str, float]] = {}
        for name in CONTESTANTS:
            command = [sys.executable, "-m", "tests.benchmarks.validate", "--contestant", name, "--file", str(rows)]
            _run(name, command, found)
    bare = found["bare SUMMARIZE"]["seconds"]
    print(f"| {given.rows:,} rows x 14 columns | seconds | times the bare pass | peak MB |\n|---|---|---|---|")
    for name, figures in found.items():
        print(f"| {name} | {figures['seconds']:.2f} | {figures['seconds'] / bare:.1f} | {figures['peak_mb']:.0f} |")


def _run(name: str, command: list[str], found: dict[str, dict[str, float]]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
    if done.returncode:
        print(f"{name}: left out, {done.stderr.strip().splitlines()[-1]}", file=sys.stderr)
        return
    found[name] = json.loads(done.stdout.strip().splitlines()[-1])


def _write(path: Path, rows: int) -> None:
    """The example's flights, repeated with other flight numbers, so that keys stay unique."""
    with duckdb.connect() as database:
        database.execute(
            f"COPY (SELECT * EXCLUDE (n) REPLACE (CAST(strftime(CAST(time_hour AS TIMESTAMP) + to_years(n::INTEGER), "
            f"'%Y-%m-%dT%H:%M:%SZ') AS VARCHAR) AS time_hour), row_number() OVER () AS _row, "
            f"row_number() OVER () + 1 AS _line FROM (SELECT * FROM read_csv('{EXAMPLE}/data/flights-*.csv.gz', "
            f"all_varchar=true) CROSS JOIN range({rows // 336_776 + 1}) copies(n) LIMIT {rows})) "
            f"TO '{path}' (FORMAT parquet)"
        )


def _timed(contestant: Callable[[Path], None], rows: Path) -> dict[str, float]:
    began = time.perf_counter()
    contestant(rows)
    seconds = time.perf_counter() - began
    # Not getrusage: its peak is that of the parent, too, until the new program was loaded.
    status = Path("/proc/self/status").read_text()
    peak = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return {"seconds": seconds, "peak_mb": int(peak.split()[1]) / 1024}


def _summarize(rows: Path) -> None:
    """All of DuckDB's own statistics of typed columns: what every other pass is measured against."""
    with duckdb.connect(config={"threads": 2}) as database:
        database.execute("SET enable_progress_bar = false")
        whole = ["flight", "sched_dep_time", "sched_arr_time", "distance", "dep_time", "dep_delay", "arr_time"]
        whole += ["arr_delay", "air_time"]
        typed = ", ".join(f"TRY_CAST({name} AS BIGINT) AS {name}" for name in whole)
        database.execute(
            f"SUMMARIZE SELECT * EXCLUDE (_row, _line) "
            f"REPLACE ({typed}, TRY_CAST(time_hour AS TIMESTAMPTZ) AS time_hour) "
            f"FROM read_parquet('{rows}')"
        ).fetchall()


def _profile(rows: Path) -> None:
    from dropforge.core import engine
    from dropforge.core.profile import measure

    staged, table = _staged(rows)
    with tempfile.TemporaryDirectory() as folder, engine.opened(Path(folder)) as database:
        measure(database, staged, table, rows)


def _judge(rows: Path) -> None:
    from dropforge.core.validation import Files, judge

    staged, table = _staged(rows)
    with tempfile.TemporaryDirectory() as folder:
        within = Files.within(Path(folder))
        files = Files(rows, within.rejects, within.accepted, within.quarantined, within.scratch)
        judge(staged, table, "arr_delay", files)


def _staged(rows: Path) -> tuple[Staged, Table]:

    table = parse((EXAMPLE / "pipeline.yaml").read_bytes()).main
    with duckdb.connect() as database:
        count = database.execute(f"SELECT count(*) FROM read_parquet('{rows}')").fetchall()[0][0]
    staged = Staged(
        batch=Batch(pipeline="flights", table="flights", batch_id="b"),
        source=Source(bucket="landing", name="flights/rows.csv", generation=1),
        size_bytes=1,
        format="csv",
        compression="none",
        encoding="utf-8",
        columns=list(table.columns),
        rows=count,
        rejected=0,
        content_sha256="",
        pipeline_generation=1,
    )
    return staged, table


CONTESTANTS: dict[str, Callable[[Path], None]] = {
    "bare SUMMARIZE": _summarize,
    "profile": _profile,
    "row rules, rows divided and written": _judge,
}

if __name__ == "__main__":
    main()
