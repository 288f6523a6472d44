"""The rules of one column, in SQL: how its text becomes a value, and when that is a breach.

Nothing is coerced silently: DuckDB's own casts would read '1.5' as the integer 2, '0x1F' as 31, '1_000' as 1000 and
'nan' as a number, so the form of the text is checked as well. Times without a zone count as UTC.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise

from dropforge.contracts.models import FieldType
from dropforge.contracts.pipeline import Table
from dropforge.core.engine import SQL_TYPES, identifier, text
from dropforge.core.validation.repairs import is_calculated, repaired_text, repaired_value

FORMS: dict[FieldType, str] = {
    "integer": r"\s*[+-]?\d+(\.0*)?\s*",
    "boolean": r"(?i)true|false|t|f|yes|no|y|n|1|0",
    "timestamp": r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d(:?\d\d)?)?)?",
    "date": r"\d{4}-\d\d-\d\d",
}
# What a quick look shows to be of that form; on real files it spares nine tenths of the time of the expression.
PLAIN: dict[FieldType, str] = {
    "integer": "CAST({cast} AS VARCHAR) = {text}",
    "timestamp": "{text} LIKE '____-__-__T__:__:__Z'",
}
TYPE_NAMES: dict[FieldType, str] = {
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "timestamp": "a time such as 2013-01-31T23:59:00Z",
    "date": "a date such as 2013-01-31",
}
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,299}")  # of a column, as BigQuery and pipeline.yaml have it
BESIDE = "__text"  # behind a column's name: the column beside it of values that are of another type
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


def referenced(reference: str) -> str:
    """SQL: the table of values (`known`) of a column that another references."""
    return identifier(f"values of {reference}")


def typed_view(table: Table, present: list[str], decimal: str, rows: str) -> str:
    """SQL: every row of the relation `rows` with `raw`, `given` and `value` of each declared column, and `_rescued`.

    `present` are the columns of the file, `decimal` is the decimal mark that its numbers have.
    """
    markers = ", ".join(text(marker) for marker in table.null_markers if marker)
    raws, givens, values = [], [], []
    for name, column in table.columns.items():
        source = column.source(name)
        raws.append(f"{identifier(source) if source in present else 'NULL::VARCHAR'} AS {raw(name)}")
        repaired = repaired_text(column, raw(name))
        cleared = f"CASE WHEN {repaired} NOT IN ({markers}) THEN {repaired} END"
        givens.append(f"{cleared if markers and column.type != 'text' else repaired} AS {given(name)}")
        kind: FieldType = "number" if is_calculated(column) else column.type
        typed = _typed(kind, given(name), decimal)
        values.append(f"{repaired_value(column, column.type, typed)} AS {value(name)}")
    unexpected = unknown(table, present) if table.unexpected_columns in ("rescue", "evolve") else []
    raws += [f"{identifier(name)} AS {raw(name)}" for name in unexpected]
    homed = set(joining(table, present))
    homeless = [name for name in unexpected if name not in homed]
    return (
        f"SELECT *, {_rescued(table, homeless)} AS _rescued "
        f"FROM (SELECT *, {', '.join(values)} FROM (SELECT *, {', '.join(givens)} "
        f"FROM (SELECT _row, _line, {', '.join(raws)} FROM {rows})))"
    )


def unknown(table: Table, present: list[str]) -> list[str]:
    """The columns of a file that are neither declared nor read as one that is."""
    read = {column.source(name) for name, column in table.columns.items()}
    return [name for name in present if name not in table.columns and name not in read]


def joining(table: Table, present: list[str]) -> list[str]:
    """The columns of a file that join the table, by `evolve`. Others, which BigQuery could not name, are rescued."""
    if table.unexpected_columns != "evolve":
        return []
    taken = {kept.lower() for name in table.columns for kept in (name, f"{name}{BESIDE}")}
    return [name for name in unknown(table, present) if NAME.fullmatch(name) and name.lower() not in taken]


def rescues(table: Table) -> bool:
    """Whether accepted rows have the column `_rescued`."""
    return table.misfit_values == "rescue" or table.unexpected_columns in ("rescue", "evolve")


def may_misfit(table: Table) -> list[str]:
    """The columns whose values may be of another type without being a breach, by the policy for those."""
    return [
        name
        for name, column in table.columns.items()
        if column.type in TYPE_NAMES and not column.required and table.misfit_values != "quarantine"
    ]


def is_needed(table: Table, name: str) -> bool:
    """Whether a file must have this column."""
    if table.missing_columns == "evolve":
        return name in table.key or name == table.time
    return table.columns[name].required


def _rescued(table: Table, unexpected: list[str]) -> str:
    """SQL: what a row holds that has no place in its columns, as JSON, or null."""
    kept = {name: raw(name) for name in unexpected}
    if table.misfit_values == "rescue":
        kept |= {name: f"CASE WHEN {is_misfit(name)} THEN {raw(name)} END" for name in may_misfit(table)}
    entries = ", ".join(f"{{'key': {text(name)}, 'value': {kept_value}}}" for name, kept_value in kept.items())
    if not entries:
        return "NULL::VARCHAR"
    found = f"list_filter([{entries}], lambda entry: entry.value IS NOT NULL)"
    return f"CASE WHEN len({found}) > 0 THEN CAST(to_json(map_from_entries({found})) AS VARCHAR) END"


def is_misfit(name: str) -> str:
    """SQL: whether a value is given that cannot be read as its column's type."""
    return f"({given(name)} IS NOT NULL AND {value(name)} IS NULL)"


def breaches(name: str, table: Table, present: list[str]) -> Iterator[Breach]:
    """Every way in which a value of this column can break its rules, in a file with the columns `present`."""
    column = table.columns[name]
    unit = f" ({column.unit})" if column.unit else ""
    if column.required and (column.source(name) in present or is_needed(table, name)):
        yield Breach("required", name, f"{given(name)} IS NULL", "given")
    if column.type in TYPE_NAMES and name not in may_misfit(table):
        yield Breach("type", name, is_misfit(name), TYPE_NAMES[column.type] + unit)
    if column.min is not None:
        yield _breach("range", name, f"< {column.min!r}", f"at least {column.min:g}{unit}")
    if column.max is not None:
        yield _breach("range", name, f"> {column.max!r}", f"at most {column.max:g}{unit}")
    if column.allowed is not None:
        allowed = ", ".join(text(one) for one in column.allowed)
        yield _breach("allowed", name, f"NOT IN ({allowed})", f"one of {', '.join(column.allowed)}")
    if column.references is not None:
        other, _, key = column.references.partition(".")
        unknown_there = f"{value(name)} NOT IN (SELECT known FROM {referenced(column.references)})"
        yield Breach("reference", name, f"coalesce({unknown_there}, false)", f"one that {other!r} has as {key!r}")
    if column.pattern is not None:
        matches = f"NOT regexp_full_match({value(name)}, {text(column.pattern)})"
        yield Breach("pattern", name, f"coalesce({matches}, false)", f"of the form {column.pattern}")
    if column.min_length is not None:
        shorter = f"coalesce(length({value(name)}) < {column.min_length}, false)"
        yield Breach("length", name, shorter, f"at least {column.min_length} characters long")
    if column.max_length is not None:
        longer = f"coalesce(length({value(name)}) > {column.max_length}, false)"
        yield Breach("length", name, longer, f"at most {column.max_length} characters long")


def period_breaches(table: Table, file: str) -> Iterator[Breach]:
    """A time outside the period that the file's name tells."""
    found = table.period.of(file) if table.period else None
    if found is None or table.period is None or table.time is None:
        return
    begin, end = found
    slack = timedelta(hours=table.period.slack_hours)
    at = f"CAST({value(table.time)} AS TIMESTAMPTZ)"
    low, high = (f"TIMESTAMPTZ {text(moment.isoformat())}" for moment in (begin - slack, end + slack))
    outside = f"coalesce({at} < {low} OR {at} >= {high}, false)"
    yield Breach("period", table.time, outside, f"from {begin:%Y-%m-%d} to before {end:%Y-%m-%d}")


def order_breaches(table: Table) -> Iterator[Breach]:
    """Every pair of neighbours in `in_order` whose values decrease; told of the later one."""
    for names in table.in_order:
        for earlier, later in pairwise(names):
            yield _breach("order", later, f"< {value(earlier)}", f"no less than {earlier!r} is")


def _breach(code: str, name: str, comparison: str, expected: str) -> Breach:
    return Breach(code, name, f"coalesce({value(name)} {comparison}, false)", expected)


def _typed(kind: FieldType, given_text: str, decimal: str) -> str:
    if kind not in TYPE_NAMES:
        return given_text
    if kind == "number":
        number = f"replace({given_text}, ',', '.')" if decimal == "," else given_text
        cast = f"TRY_CAST({number} AS DOUBLE)"
        return f"CASE WHEN isfinite({cast}) AND NOT contains({number}, '_') THEN {cast} END"
    cast = f"TRY_CAST({given_text} AS {SQL_TYPES[kind]})"
    plain = PLAIN[kind].format(text=given_text, cast=cast) if kind in PLAIN else "false"
    form = f"regexp_full_match({given_text}, {text(FORMS[kind])})"
    return f"CASE WHEN {plain} THEN {cast} WHEN {form} THEN {cast} END"
