"""Reading bytes in a test."""

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow.parquet as pq

from dropforge.core.reading import Limits, Reading, read

EXPECTED = ["id", "name", "amount"]


@dataclass
class Read:
    """A reading, with the rows and rejects that it wrote."""

    reading: Reading
    rows: list[dict[str, Any]]
    rejects: list[dict[str, Any]]

    @property
    def values(self) -> list[tuple[Any, ...]]:
        """The rows as tuples, without `_row` and `_line`."""
        return [tuple(row.values())[2:] for row in self.rows]

    @property
    def lines(self) -> list[int]:
        """The physical lines of the rows."""
        return [row["_line"] for row in self.rows]

    @property
    def problem(self) -> str | None:
        """The code of what is wrong with the file as a whole."""
        return self.reading.problem.fields["code"] if self.reading.problem else None


def read_bytes(content: bytes, expected: list[str] | None = None, limits: Limits | None = None) -> Read:
    """Read `content` as a dropped file; checks what every reading promises."""
    with TemporaryDirectory() as scratch:
        folder = Path(scratch)
        dropped, rows_to, rejects_to = folder / "dropped", folder / "rows.parquet", folder / "rejects.parquet"
        dropped.write_bytes(content)
        reading = read(dropped, EXPECTED if expected is None else expected, rows_to, rejects_to, folder, limits)
        rows = pq.read_table(rows_to).to_pylist() if rows_to.exists() else []
        rejects = pq.read_table(rejects_to).to_pylist() if rejects_to.exists() else []
    assert (reading.rows, reading.rejected) == (len(rows), len(rejects))
    numbers = sorted(row["_row"] for row in [*rows, *rejects])
    assert numbers == list(range(1, len(numbers) + 1))
    assert all(list(row) == ["_row", "_line", *reading.columns] for row in rows)
    return Read(reading, rows, rejects)
