"""Read a dropped file: decompress, decode, find its form, and write its records as text."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import chain
from pathlib import Path

import duckdb

from dropforge.contracts.errors import FileUnreadable
from dropforge.core import engine
from dropforge.core.reading import avro, columnar, compression, delimited, jsons, kind
from dropforge.core.reading.encoding import Transcoder
from dropforge.core.reading.limits import Limits
from dropforge.core.reading.tally import Tally

HEAD = 4096


@dataclass
class Reading:
    """What was found in a file. `rows` and `rejected` records are all there are; `problem` if it is no table.

    `content_sha256` is that of the decompressed content as far as it was read, so that the same table is recognised
    whether it is compressed or not.
    """

    format: str = "unknown"
    compression: str = "none"
    encoding: str = "unknown"
    columns: list[str] = field(default_factory=list)
    rows: int = 0
    rejected: int = 0
    content_sha256: str = ""
    dialect: dict[str, str | int | float | bool] = field(default_factory=dict)
    problem: FileUnreadable | None = None


def read(
    path: Path, expected: Sequence[str], rows_to: Path, rejects_to: Path, folder: Path, limits: Limits | None = None
) -> Reading:
    """Read the file at `path`, hoping for the columns `expected`, with scratch space in `folder`.

    `rows_to` becomes Parquet with `_row` (number of the record in the file, from 1, rejects counted), `_line` (number
    of the physical line it starts on, from 1) and every column as text, empty values null; `rejects_to` Parquet with
    `_row`, `_line`, `_text`, `_code` and `_sentence`. Neither is written when it would be empty.

    Never raises for what is in the file: that is the `problem` of the reading.
    """
    limits = limits or Limits()
    reading = Reading()
    digest = sha256()

    def content() -> Iterator[bytes]:
        for chunk in compression.chunks(path, reading.compression, limits):
            digest.update(chunk)
            yield chunk

    try:
        reading.compression = _compression(path)
        _read(content(), reading, expected, limits, folder, rows_to, rejects_to)
    except (FileUnreadable, duckdb.OutOfMemoryException) as error:
        reading.problem = error if isinstance(error, FileUnreadable) else _too_wide(reading)
        reading.rows = reading.rejected = 0
        rows_to.unlink(missing_ok=True)
        rejects_to.unlink(missing_ok=True)
    reading.content_sha256 = digest.hexdigest()
    return reading


def _compression(path: Path) -> str:
    with path.open("rb") as file:
        head = file.read(HEAD)
    found = compression.find(head)
    if found == "zip":
        kind.refuse_office(head)
    return found


def _read(
    chunks: Iterator[bytes],
    reading: Reading,
    expected: Sequence[str],
    limits: Limits,
    folder: Path,
    rows_to: Path,
    rejects_to: Path,
) -> None:
    first = next(chunks, b"")
    reading.format = kind.find(first[:HEAD])
    content = chain([first], chunks)
    if reading.format in ("parquet", "orc"):
        reading.encoding = "binary"
        reading.columns, reading.rows = columnar.read(content, reading.format, limits, folder, rows_to)
        return
    if reading.format == "avro":
        reading.encoding = "binary"
        reading.columns, reading.rows = avro.read(content, limits, folder, rows_to)
        return
    transcoder = Transcoder(first[:HEAD])
    try:
        if reading.format.startswith("json"):
            reading.columns, tally = jsons.read(
                transcoder.utf8(content), reading.format == "json", limits, folder, rows_to, rejects_to
            )
        else:
            tally = _read_delimited(transcoder.utf8(content), reading, expected, limits, folder, rows_to, rejects_to)
    finally:
        reading.encoding = transcoder.name
    reading.rows, reading.rejected = tally.rows, tally.rejected


def _read_delimited(
    utf8: Iterator[bytes],
    reading: Reading,
    expected: Sequence[str],
    limits: Limits,
    folder: Path,
    rows_to: Path,
    rejects_to: Path,
) -> Tally:
    found, tally = delimited.read(utf8, expected, limits, folder, rows_to, rejects_to)
    reading.format = {",": "csv", "\t": "tsv"}.get(found.delimiter, "delimited")
    reading.columns, reading.dialect = found.columns, found.as_fields()
    if not found.header:
        reading.problem = FileUnreadable(
            f"The file has no header: its first line holds values, not names of columns. Expected {_some(expected)}.",
            code="no_header",
            expected=list(expected),
            observed="values",
        )
    return tally


def _too_wide(reading: Reading) -> FileUnreadable:
    return FileUnreadable(
        f"The {reading.format} file needs more memory to be read than there is: its rows are too wide. "
        "Drop it with fewer columns or shorter values.",
        code="too_wide",
        expected=f"rows that {engine.MEMORY_MB} MB can hold",
        observed=reading.format,
    )


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
