"""Read JSON Lines, or one JSON array of objects: each object a record, its keys the columns, its values as text."""

from collections.abc import Iterator
from pathlib import Path

import duckdb

from dropforge.contracts.errors import FileUnreadable
from dropforge.core import engine
from dropforge.core.engine import identifier, text
from dropforge.core.reading import lines
from dropforge.core.reading.dialect import unique
from dropforge.core.reading.limits import Limits
from dropforge.core.reading.tally import Tally, encoding_fault, rejects_in

SEPARATOR = "\x1f"  # a control character, which JSON has only in escaped form


def read(
    utf8: Iterator[bytes], is_array: bool, limits: Limits, folder: Path, rows_to: Path, rejects_to: Path
) -> tuple[list[str], Tally]:
    """Read the content of a file, in UTF-8, into two Parquet files, each written only if there is something in it.

    A line that is no JSON object is a reject. In an array, records have no line of their own.

    Raises:
        FileUnreadable: it is an array of something else, or not well-formed, or has too many different keys.
    """
    tally = Tally(limits)
    with engine.opened(folder) as database:
        if is_array:
            _load_array(database, utf8, limits, folder)
        else:
            _load_lines(database, utf8, tally, folder)
        keys = _keys(database, limits)
        _write(database, keys, tally, folder, rows_to, rejects_to)
    return unique(keys), tally


def _load_lines(database: duckdb.DuckDBPyConnection, utf8: Iterator[bytes], tally: Tally, folder: Path) -> None:
    """Make the view `read` (_row, _line, object, good); what is no text is written down as rejects."""
    numbered = folder / "numbered.txt"
    with numbered.open("wb") as out:
        for first, block in lines.blocks(utf8, tally.limits, tally.too_long):
            out.writelines(_numbered(first, block, tally))
            tally.write_down(folder / "rejects.jsonl")
    types = "{'_row': 'BIGINT', '_line': 'BIGINT', 'object': 'VARCHAR'}"
    database.execute(
        "CREATE VIEW read AS SELECT *, coalesce(TRY(json_type(object)) = 'OBJECT', false) AS good FROM read_csv("
        f"{text(str(numbered))}, auto_detect = false, header = false, delim = '{SEPARATOR}', quote = '', escape = '', "
        f"new_line = '\\n', max_line_size = {tally.limits.record * 2}, "
        f"buffer_size = {tally.limits.record * 8}, columns = {types})"
    )


def _numbered(first: int, block: list[bytes], tally: Tally) -> Iterator[bytes]:
    separator = SEPARATOR.encode()
    for number, line in enumerate(block, start=first):
        if not line.strip():
            continue
        fault = encoding_fault(line, number)
        if fault is None and (separator in line or b"\r" in line):
            fault = "control_character", f"Line {number} has a control character, which JSON does not allow."
        if fault:
            tally.reject(number, line, *fault)
        else:
            (row,) = tally.next_rows(1)
            yield separator.join((b"%d" % row, b"%d" % number, line)) + b"\n"


def _load_array(database: duckdb.DuckDBPyConnection, utf8: Iterator[bytes], limits: Limits, folder: Path) -> None:
    """Make the table `read` of the elements of one array."""
    plain = folder / "array.json"
    with plain.open("wb") as out:
        out.writelines(utf8)
    try:
        database.execute(
            "CREATE TABLE read AS SELECT row_number() OVER () AS _row, NULL::BIGINT AS _line, "
            "CAST(json AS VARCHAR) AS object, json_type(json) = 'OBJECT' AS good "
            f"FROM read_json_objects({text(str(plain))}, format = 'array', maximum_object_size = {limits.record * 2})"
        )
    except duckdb.Error as error:
        said = str(error).partition("\n")[0]
        raise FileUnreadable(
            "The file is a JSON array that is damaged or cut short. Drop the whole file again.",
            code="corrupt",
            expected="JSON",
            observed=said,
        ) from error


def _keys(database: duckdb.DuckDBPyConnection, limits: Limits) -> list[str]:
    """Every key of the objects, in the order of their first appearance."""
    found = database.execute(
        "SELECT key FROM (SELECT _row, unnest(keys) AS key, unnest(range(len(keys))) AS place "
        "FROM (SELECT _row, json_keys(object) AS keys FROM read WHERE good)) "
        f"GROUP BY key ORDER BY min(_row), arg_min(place, _row) LIMIT {limits.columns + 1}"
    ).fetchall()
    if len(found) > limits.columns:
        raise FileUnreadable(
            f"The objects of the file have more than {limits.columns:,} different keys.",
            code="too_many_columns",
            expected=limits.columns,
            observed=len(found),
        )
    return [key for (key,) in found]


def _write(
    database: duckdb.DuckDBPyConnection, keys: list[str], tally: Tally, folder: Path, rows_to: Path, rejects_to: Path
) -> None:
    good, bad = (int(_one(database, f"SELECT count(*) FROM read WHERE {which}")) for which in ("good", "NOT good"))
    tally.rows, tally.rejected = good, tally.rejected + bad
    if good:
        values = "".join(
            f", nullif(json_extract_string(object, {text(_pointer(key))}), '') AS {identifier(name)}"
            for key, name in zip(keys, unique(keys), strict=True)
        )
        database.execute(
            f"COPY (SELECT _row, _line{values} FROM read WHERE good ORDER BY _row) "
            f"TO {text(str(rows_to))} {engine.parquet(len(keys))}"
        )
    if tally.rejected:
        where = "coalesce('Line ' || _line, 'Element ' || _row)"
        parts = [
            f"SELECT _row, _line, left(object, {tally.limits.reject_text}) AS _text, 'not_an_object' AS _code, "
            f"{where} || ' is no JSON object.' AS _sentence FROM read WHERE NOT good"
        ]
        if (folder / "rejects.jsonl").exists():
            parts.append(rejects_in(folder / "rejects.jsonl", tally.limits))
        database.execute(
            f"COPY (SELECT * FROM ({' UNION ALL '.join(parts)}) ORDER BY _row) "
            f"TO {text(str(rejects_to))} (FORMAT parquet)"
        )


def _pointer(key: str) -> str:
    """The JSON Pointer (RFC 6901) of a key at the top."""
    return "/" + key.replace("~", "~0").replace("/", "~1")


def _one(database: duckdb.DuckDBPyConnection, query: str) -> int:
    row = database.execute(query).fetchone()
    return int(row[0]) if row else 0
