"""What Dropforge and DuckDB alone do with a file of rows; each contestant runs in a process of its own."""

import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import duckdb

from dropforge.contracts.batch import Batch, Source
from dropforge.contracts.pipeline import Table, parse
from dropforge.contracts.verdicts import Staged
from dropforge.core import engine
from dropforge.core.profile import measure
from dropforge.core.validation import Files, judge

EXAMPLE = Path(__file__).parents[3] / "examples" / "flights"
YEAR = 336_776  # flights of 2013
WEATHER = ("temp", "dewp", "humid", "wind_speed", "pressure", "visib")


def write(path: Path, rows: int) -> None:
    """The example's flights, repeated year after year so that keys stay unique, each with the weather of some hour.

    20 columns of text and `_row`, `_line`, as ingest stages them.
    """
    with duckdb.connect(config={"threads": 2}) as database:
        database.execute(
            f"CREATE TEMP TABLE weather AS SELECT row_number() OVER () AS n, {', '.join(WEATHER)} "
            f"FROM read_csv('{EXAMPLE}/data/weather-*.csv.gz', all_varchar=true)"
        )
        hours = database.execute("SELECT count(*) FROM weather").fetchall()[0][0]
        database.execute(
            f"CREATE TEMP TABLE flights AS SELECT *, row_number() OVER () AS n "
            f"FROM read_csv('{EXAMPLE}/data/flights-*.csv.gz', all_varchar=true)"
        )
        database.execute(
            f"COPY (SELECT flights.* EXCLUDE (n) REPLACE (strftime(CAST(time_hour AS TIMESTAMP) + "
            f"to_years(year::INTEGER), '%Y-%m-%dT%H:%M:%SZ') AS time_hour), {', '.join(WEATHER)}, "
            f"flights.n + year * {YEAR} AS _row, flights.n + year * {YEAR} + 1 AS _line "
            f"FROM range({rows // YEAR + 1}) years(year) CROSS JOIN flights "
            f"JOIN weather ON weather.n = flights.n % {hours} + 1 "
            f"WHERE flights.n + year * {YEAR} <= {rows} ORDER BY _row) TO '{path}' (FORMAT parquet)"
        )


def timed(contestant: Callable[[Path], None], rows: Path) -> str:
    """Seconds by the clock and of the processor, and peak memory, as JSON."""
    began, worked = time.perf_counter(), time.process_time()
    contestant(rows)
    seconds, cpu = time.perf_counter() - began, time.process_time() - worked
    # Not getrusage: its peak is that of the parent, too, until the new program was loaded.
    status = Path("/proc/self/status").read_text()
    peak = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return json.dumps({"seconds": seconds, "cpu_seconds": cpu, "peak_mb": int(peak.split()[1]) / 1024})


def _summarize(rows: Path) -> None:
    """All of DuckDB's own statistics of typed columns: what every other pass is measured against."""
    kinds = {"integer": "BIGINT", "number": "DOUBLE", "timestamp": "TIMESTAMPTZ"}
    typed = ", ".join(
        f"TRY_CAST({name} AS {kinds[column.type]}) AS {name}"
        for name, column in _table().columns.items()
        if column.type in kinds
    )
    with duckdb.connect(config={"threads": 2}) as database:
        database.execute("SET enable_progress_bar = false")
        database.execute(
            f"SUMMARIZE SELECT * EXCLUDE (_row, _line) REPLACE ({typed}) FROM read_parquet('{rows}')"
        ).fetchall()


def _profile(rows: Path) -> None:
    with tempfile.TemporaryDirectory() as folder, engine.opened(Path(folder)) as database:
        measure(database, _staged(rows), _table(), rows)


def _judge(rows: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        within = Files.within(Path(folder))
        files = Files(rows, within.rejects, within.accepted, within.quarantined, within.scratch)
        judge(_staged(rows), _table(), "arr_delay", files)


def _everything(rows: Path) -> None:
    _profile(rows)
    _judge(rows)


def _table() -> Table:
    pipeline = parse((EXAMPLE / "pipeline.yaml").read_bytes())
    weather = pipeline.tables["weather"].columns
    return pipeline.main.model_copy(
        update={"columns": pipeline.main.columns | {name: weather[name] for name in WEATHER}}
    )


def _staged(rows: Path) -> Staged:
    with duckdb.connect() as database:
        count = database.execute(f"SELECT count(*) FROM read_parquet('{rows}')").fetchall()[0][0]
    return Staged(
        batch=Batch(pipeline="flights", table="flights", batch_id="b"),
        source=Source(bucket="landing", name="flights/rows.csv", generation=1),
        size_bytes=1,
        format="csv",
        compression="none",
        encoding="utf-8",
        columns=list(_table().columns),
        rows=count,
        rejected=0,
        content_sha256="",
        pipeline_generation=1,
    )


CONTESTANTS: dict[str, Callable[[Path], None]] = {
    "DuckDB's bare SUMMARIZE": _summarize,
    "Dropforge: profile": _profile,
    "Dropforge: row rules, rows divided and written": _judge,
    "Dropforge: both": _everything,
}
