"""Read a delimited file of any size: in pieces through `records`, then by DuckDB into Parquet."""

from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path

from dropforge.contracts.errors import FileUnreadable
from dropforge.core import engine
from dropforge.core.engine import identifier, text
from dropforge.core.reading import dialect, kind, lines
from dropforge.core.reading.dialect import Dialect
from dropforge.core.reading.limits import Limits
from dropforge.core.reading.records import Records
from dropforge.core.reading.tally import Tally, rejects_in

SAMPLE = 256 * 1024


def read(
    utf8: Iterator[bytes], expected: Sequence[str], limits: Limits, folder: Path, rows_to: Path, rejects_to: Path
) -> tuple[Dialect, Tally]:
    """Read the content of a file, in UTF-8, into two Parquet files, each written only if there is something in it.

    Raises:
        FileUnreadable: it is no table as a whole.
    """
    chunks, sample = _peek(utf8, limits)
    kind.refuse_binary(b"\n".join(sample))
    shown = [line.decode("utf-8", "replace") for line in sample]
    if not any(line.strip() for line in shown):
        raise FileUnreadable(
            "The file holds only blanks: it has no header and no rows.", code="empty", expected="a header", observed=""
        )
    found = dialect.find(shown, expected, limits.columns)
    tally = Tally(limits)
    records = Records(found.delimiter.encode(), len(found.columns), tally)
    numbered, rejects = folder / "numbered.csv", folder / "rejects.jsonl"
    skip = found.above + found.header
    with numbered.open("wb") as rows:
        for first, block in lines.blocks(chunks, limits, tally.too_long):
            wanted = block[max(0, skip + 1 - first) :]
            if wanted:
                rows.write(records.block(max(first, skip + 1), wanted))
            tally.write_down(rejects)
        rows.write(records.end())
        tally.write_down(rejects)
    with engine.opened(folder) as database:
        if tally.rows:
            database.execute(_copy(numbered, found, rows_to, limits, parallel=not records.has_line_feeds))
        if tally.rejected:
            database.execute(f"COPY ({rejects_in(rejects, limits)}) TO {text(str(rejects_to))} (FORMAT parquet)")
    return found, tally


def _peek(chunks: Iterator[bytes], limits: Limits) -> tuple[Iterator[bytes], list[bytes]]:
    """The same chunks again, and the whole lines at their beginning."""
    held: list[bytes] = []
    size, has_line, ended = 0, False, True
    for chunk in chunks:
        held.append(chunk)
        size += len(chunk)
        has_line = has_line or b"\n" in chunk or b"\r" in chunk
        if size >= SAMPLE and has_line:
            ended = False
            break
        if size > limits.record and not has_line:
            raise FileUnreadable(
                f"The first line has more than {limits.record:,} bytes, so this is no table of rows.",
                code="too_long",
                expected=limits.record,
                observed=size,
            )
    head = b"".join(held)
    sample = [line for _, block in lines.blocks([head], limits, lambda *_: None) for line in block]
    return chain(held, chunks), sample if ended or len(sample) < 2 else sample[:-1]


def _copy(numbered: Path, found: Dialect, to: Path, limits: Limits, parallel: bool) -> str:
    """SQL: numbered CSV to Parquet, every column as text, an empty field as null."""
    places = ["_row", "_line", *(f"c{n}" for n in range(len(found.columns)))]
    types = ", ".join(f"{text(place)}: 'VARCHAR'" for place in places)
    named = ", ".join(f"c{n} AS {identifier(name)}" for n, name in enumerate(found.columns))
    options = (
        f"auto_detect = false, header = false, delim = {text(found.delimiter)}, quote = '\"', escape = '\"', "
        f"new_line = '\\n', nullstr = '', max_line_size = {limits.record * 3}, buffer_size = {limits.record * 8}, "
        f"parallel = {str(parallel).lower()}, columns = {{{types}}}"
    )
    return (
        f"COPY (SELECT CAST(_row AS BIGINT) AS _row, CAST(_line AS BIGINT) AS _line, {named} "
        f"FROM read_csv({text(str(numbered))}, {options})) TO {text(str(to))} {engine.parquet(len(places))}"
    )
