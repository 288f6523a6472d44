"""Spoil months of this example's flights as sources do, to see them caught, explained, repaired and replayed.

    python examples/flights/sabotage.py FOLDER

writes three months of flights out of LaGuardia into the folder: April with distances in kilometres, May with planned
departure and arrival exchanged, June with delays in seconds. docs/sabotage.md goes on from there.
"""

import csv
import gzip
import io
import sys
from collections.abc import Callable
from pathlib import Path

DATA = Path(__file__).parent / "data"
Row = dict[str, str]


def kilometres(row: Row) -> None:
    """The source was moved to metric units, and told nobody."""
    row["distance"] = str(round(int(row["distance"]) * 1.609344))


def exchanged(row: Row) -> None:
    """Two columns under each other's name."""
    row["sched_dep_time"], row["sched_arr_time"] = row["sched_arr_time"], row["sched_dep_time"]


def seconds(row: Row) -> None:
    """Delays, which the label is made of, in seconds."""
    row["arr_delay"] = row["arr_delay"] if row["arr_delay"] == "NA" else str(60 * int(row["arr_delay"]))


SABOTAGE: dict[str, Callable[[Row], None]] = {"04": kilometres, "05": exchanged, "06": seconds}


def month(number: str, airport: str = "LGA") -> tuple[str, bytes]:
    """Name and content (gzip) of a month as it is."""
    name = f"flights-2013-{number}-{airport}.csv.gz"
    return name, (DATA / name).read_bytes()


def spoiled(content: bytes, spoil: Callable[[Row], None]) -> bytes:
    """The same month, each row spoiled; equal input gives equal bytes."""
    rows = list(csv.DictReader(io.StringIO(gzip.decompress(content).decode())))
    for row in rows:
        spoil(row)
    text = io.StringIO()
    writer = csv.DictWriter(text, rows[0], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return gzip.compress(text.getvalue().encode(), mtime=0)


def main(folder: Path) -> None:
    """Write the three months."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, spoil in SABOTAGE.items():
        name, content = month(number)
        (folder / name).write_bytes(spoiled(content, spoil))
        print(f"{folder / name}: {(spoil.__doc__ or '').strip()}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
