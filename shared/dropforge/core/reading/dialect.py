"""How the lines of a delimited file are to be read: delimiter, header and decimal mark, found from its beginning."""

import csv
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from dropforge.contracts.errors import FileUnreadable

DELIMITERS = (",", "\t", ";", "|")
HEADER_WITHIN = 20  # lines: titles and remarks may stand above the header
VALUE = re.compile(r"[+-]?[\d.,:/TZ -]*\d[\d.,:/TZ -]*")
DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+")
DECIMAL_POINT = re.compile(r"[+-]?\d*\.\d+")


@dataclass(frozen=True)
class Dialect:
    """The choice and its grounds. `above` counts the lines above the header, blank ones too."""

    delimiter: str
    columns: list[str]
    header: bool
    above: int
    decimal: str
    confidence: float  # share of the sampled lines that have as many fields as the header

    def as_fields(self) -> dict[str, str | int | float | bool]:
        """What the staged record keeps of it."""
        return {
            "delimiter": self.delimiter,
            "header": self.header,
            "lines_above_header": self.above,
            "decimal": self.decimal,
            "confidence": self.confidence,
        }


def find(lines: list[str], expected: Sequence[str], most_columns: int) -> Dialect:
    """The dialect of a file that begins with `lines`, of which the columns `expected` are hoped for.

    The header is the one of the first lines that has most of the expected names, under the delimiter that finds most
    of them; where none is found, the first line, under the delimiter that cuts most lines alike.

    Raises:
        FileUnreadable: `too_many_columns`.
    """
    known = set(expected)
    best: tuple[tuple[int, int, float, int], int, str] | None = None
    for at, line in _first(lines):
        for delimiter in DELIMITERS:
            names = split(line, delimiter)
            found = len(known.intersection(names))
            names_score = (found, -at if found else 0)
            if best is not None and names_score < best[0][:2]:
                continue  # two hundred lines need not be cut for what cannot win
            score = (*names_score, _alike(lines[at:], delimiter, len(names)), len(names))
            if best is None or score > best[0]:
                best = (score, at, delimiter)
        if best is not None and best[0][0] == 0 and at > 0 and not known:
            break
    assert best is not None  # one of `lines` is not blank
    (found, _, alike, _), at, delimiter = best
    if not found:
        at = next(_first(lines))[0]
    names = split(lines[at], delimiter)
    if len(names) > most_columns:
        raise FileUnreadable(
            f"The file has {len(names):,} columns. Expected at most {most_columns:,}.",
            code="too_many_columns",
            expected=most_columns,
            observed=len(names),
        )
    is_header = found > 0 or 3 * sum(VALUE.fullmatch(name) is not None for name in names) < len(names)
    columns = unique(names) if is_header else [f"column_{n}" for n in range(1, len(names) + 1)]
    rows = lines[at + is_header :]
    return Dialect(delimiter, columns, is_header, at, _decimal(rows, delimiter), round(alike, 3))


def split(line: str, delimiter: str) -> list[str]:
    """The fields of one line, without surrounding blanks."""
    try:
        return [field.strip() for field in next(csv.reader([line], delimiter=delimiter), [""])]
    except csv.Error:
        return [field.strip() for field in line.split(delimiter)]


def _first(lines: list[str]) -> "enumerate[str] | filter[tuple[int, str]]":
    return filter(lambda numbered: numbered[1].strip(), enumerate(lines[:HEADER_WITHIN]))


def _alike(lines: list[str], delimiter: str, fields: int) -> float:
    filled = [line for line in lines if line.strip()][:200]
    if fields == 1:
        return 0.0 if len(filled) > 1 else 0.5
    return sum(len(split(line, delimiter)) == fields for line in filled) / len(filled)


def unique(names: list[str]) -> list[str]:
    """Names for the columns, none empty and no two alike when case is ignored, as DuckDB and BigQuery do."""
    seen: Counter[str] = Counter(_row=1, _line=1)  # columns of ours
    given = []
    for number, name in enumerate(names, start=1):
        name = name or f"column_{number}"
        seen[name.lower()] += 1
        given.append(name if seen[name.lower()] == 1 else f"{name}__{seen[name.lower()]}")
    return given


def _decimal(rows: list[str], delimiter: str) -> str:
    """`,` where numbers are written so and never with a point, which a comma between fields rules out."""
    if delimiter == ",":
        return "."
    fields = [field for row in rows for field in split(row, delimiter)]
    commas = sum(DECIMAL_COMMA.fullmatch(field) is not None for field in fields)
    points = sum(DECIMAL_POINT.fullmatch(field) is not None for field in fields)
    return "," if commas > points else "."
