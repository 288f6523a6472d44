"""The rules of one column, in SQL: how its text becomes a value, and when that is a breach.

Nothing is coerced silently: DuckDB's own casts would read '1.5' as the integer 2 and 'nan' as a number, so the form of
the text is checked before it is cast. Times without a zone count as UTC.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from dropforge.contracts.models import FieldType
from dropforge.contracts.pipeline import Column, Table
from dropforge.core.engine import SQL_TYPES, identifier, text

FORMS: dict[FieldType, str] = {
    "integer": r"\s*[+-]?\d+(\.0*)?\s*",
    "number": r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*",
    "boolean": r"(?i)true|false|t|f|yes|no|y|n|1|0",
    "timestamp": r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d(:?\d\d)?)?)?",
    "date": r"\d{4}-\d\d-\d\d",
}
TYPE_NAMES: dict[FieldType, str] = {
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "timestamp": "a time such as 2013-01-31T23:59:00Z",
    "date": "a date such as 2013-01-31",
}
SHOWN = 60  # characters of a value that a sentence quotes
WHERE = "coalesce('Line ' || _line, 'Row ' || _row)"


@dataclass(frozen=True)
class Breach:
    """One way to break a rule: the SQL condition that is true when it is broken, and what was expected."""

    code: str
    column: str
    condition: str
    expected: str

    def struct(self) -> str:
        """SQL: the reason of a row that breaks this rule, else null."""
        value = raw(self.column)
        shown = (
            f"CASE WHEN {value} IS NULL THEN 'nothing' WHEN length({value}) > {SHOWN} "
            f"THEN concat('''', left({value}, {SHOWN}), '…''') ELSE concat('''', {value}, '''') END"
        )
        opening = text(f"{self.column!r} must be {self.expected}. Found ")
        return (
            f"CASE WHEN {self.condition} THEN {{'code': {text(self.code)}, 'column': {text(self.column)}, "
            f"'value': {value}, 'sentence': concat({WHERE}, ': ', {opening}, {shown}, '.')}} END"
        )


def raw(name: str) -> str:
    """SQL: the column's text as it stands in the file."""
    return identifier(f"raw {name}")


def given(name: str) -> str:
    """SQL: the column's text, null where it means no value."""
    return identifier(f"given {name}")


def value(name: str) -> str:
    """SQL: the column's typed value, null where there is none or it cannot be read."""
    return identifier(f"value {name}")


def typed_view(table: Table, present: list[str], decimal: str, rows: str) -> str:
    """SQL: every row of the relation `rows` with `raw`, `given` and `value` of each declared column that is present.

    `decimal` is the decimal mark that the file's numbers have.
    """
    names = [name for name in table.columns if name in present]
    markers = ", ".join(text(marker) for marker in table.null_markers if marker)
    raws = ", ".join(f"{identifier(name)} AS {raw(name)}" for name in names)
    givens, values = [], []
    for name in names:
        kind = table.columns[name].type
        cleared = f"CASE WHEN {raw(name)} NOT IN ({markers}) THEN {raw(name)} END"
        givens.append(f"{cleared if markers and kind != 'text' else raw(name)} AS {given(name)}")
        values.append(f"{_typed(kind, given(name), decimal)} AS {value(name)}")
    return (
        f"SELECT *, {', '.join(values)} FROM (SELECT *, {', '.join(givens)} "
        f"FROM (SELECT _row, _line, {raws} FROM {rows}))"
    )


def breaches(name: str, column: Column) -> Iterator[Breach]:
    """Every way in which a value of this column can break its rules; at most one of them is true of a row."""
    unit = f" ({column.unit})" if column.unit else ""
    if column.required:
        yield Breach("required", name, f"{given(name)} IS NULL", "given")
    if column.type in FORMS:
        condition = f"({given(name)} IS NOT NULL AND {value(name)} IS NULL)"
        yield Breach("type", name, condition, TYPE_NAMES[column.type] + unit)
    if column.min is not None:
        condition = f"coalesce({value(name)} < {column.min!r}, false)"
        yield Breach("range", name, condition, f"at least {column.min:g}{unit}")
    if column.max is not None:
        condition = f"coalesce({value(name)} > {column.max!r}, false)"
        yield Breach("range", name, condition, f"at most {column.max:g}{unit}")
    if column.allowed is not None:
        allowed = ", ".join(text(one) for one in column.allowed)
        condition = f"coalesce({value(name)} NOT IN ({allowed}), false)"
        yield Breach("allowed", name, condition, f"one of {', '.join(column.allowed)}")


def _typed(kind: FieldType, given_text: str, decimal: str) -> str:
    if kind not in FORMS:
        return given_text
    if kind == "number" and decimal == ",":
        given_text = f"replace({given_text}, ',', '.')"
    cast = f"TRY_CAST({given_text} AS {SQL_TYPES[kind]})"
    if kind == "number":
        cast = f"CASE WHEN isfinite({cast}) THEN {cast} END"
    return f"CASE WHEN regexp_full_match({given_text}, {text(FORMS[kind])}) THEN {cast} END"
