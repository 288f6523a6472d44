"""Repairs of pipeline.yaml as SQL: of the text of a column, and of the value that is read from it."""

from collections.abc import Iterator

from dropforge.contracts.models import FieldType
from dropforge.contracts.pipeline import Column, Repair
from dropforge.contracts.pipeline.repair import Dates
from dropforge.core.engine import text

# Every character that Windows-1252 has beyond ASCII: those that are undone when their UTF-8 was read as it.
MANGLED = bytes(range(0x80, 0x100)).decode("cp1252", "ignore")
DATES: dict[Dates, tuple[str, str]] = {  # the form, and its groups of year, month, day and the rest
    "day_first": (r"\s*(\d{1,2})[./-](\d{1,2})[./-](\d{4})(.*)", "3214"),
    "month_first": (r"\s*(\d{1,2})[./-](\d{1,2})[./-](\d{4})(.*)", "3124"),
    "swapped": (r"\s*(\d{4})-(\d\d)-(\d\d)(.*)", "1324"),
}
TICKS: dict[Dates, int] = {"epoch_seconds": 1_000_000, "epoch_milliseconds": 1_000}  # microseconds


def repaired_text(column: Column, given: str) -> str:
    """SQL: the text `given` as the column's repairs leave it."""
    for repair in column.repair:
        for step in _text_steps(repair, given):
            given = step
    return given


def is_calculated(column: Column) -> bool:
    """Whether a repair does arithmetic, so that a whole number may come as a fraction."""
    return any(repair.times is not None or repair.plus is not None for repair in column.repair)


def repaired_value(column: Column, kind: FieldType, value: str) -> str:
    """SQL: `value`, of type `kind` (DOUBLE where it is calculated), as the column's repairs leave it.

    Null where the result is no value of that type, as a whole number beyond 64 bits: a breach of its row, not an error.
    """
    for repair in column.repair:
        if repair.times is not None or repair.plus is not None:
            value = f"(({value}) * {repair.times or 1.0!r}::DOUBLE + {repair.plus or 0.0!r}::DOUBLE)"
        if repair.wrap is not None:
            value = f"((({value}) % {repair.wrap!r} + {repair.wrap!r}) % {repair.wrap!r})"
        if repair.shift_minutes is not None:
            value = f"(({value}) + to_minutes({repair.shift_minutes}))"
    changes = any(repair.wrap is not None for repair in column.repair) or is_calculated(column)
    if kind == "integer" and changes:
        return f"TRY_CAST(round({value}) AS BIGINT)"
    return f"CASE WHEN isfinite({value}) THEN {value} END" if changes else value


def _text_steps(repair: Repair, given: str) -> Iterator[str]:
    """Each of the repair's changes around the one before."""
    if repair.mojibake:
        yield (given := _decoded(given))
    if repair.trim:
        yield (given := f"nullif(trim({given}, ' \t\u00a0'), '')")
    if repair.remove is not None:
        yield (given := f"nullif(regexp_replace({given}, {text(repair.remove)}, '', 'g'), '')")
    if repair.case is not None:
        yield (given := f"{repair.case}({given})")
    if repair.pad_zeros is not None:
        padded = f"lpad({given}, {repair.pad_zeros}, '0')"
        yield (given := f"CASE WHEN length({given}) < {repair.pad_zeros} THEN {padded} ELSE {given} END")
    if repair.rename:
        renamed = "".join(f" WHEN {text(old)} THEN {text(new)}" for old, new in repair.rename.items())
        yield (given := f"CASE {given}{renamed} ELSE {given} END")
    if repair.nulls:
        yield (given := f"CASE WHEN {given} NOT IN ({', '.join(map(text, repair.nulls))}) THEN {given} END")
    if repair.decimal is not None:
        yield (given := f"replace(replace({given}, '.', ''), ',', '.')")
    if repair.dates is not None:
        yield _dated(repair.dates, given)


def _decoded(given: str) -> str:
    """SQL: longest first, since the looks of some begin those of others."""
    looks = {_mangled(character): character for character in MANGLED}
    undone = given
    for look in sorted(looks, key=len, reverse=True):
        undone = f"replace({undone}, {text(look)}, {text(looks[look])})"
    return f"CASE WHEN regexp_matches({given}, '[ÂÃâÅÆË]') THEN {undone} ELSE {given} END"


def _mangled(character: str) -> str:
    """What Windows-1252 makes of a character's UTF-8; the five bytes that it does not have stay as they are.

    https://encoding.spec.whatwg.org/#windows-1252
    """
    return "".join(bytes([byte]).decode("cp1252", "ignore") or chr(byte) for byte in character.encode())


def _dated(dates: Dates, given: str) -> str:
    """SQL: the text as an ISO date or time, or as it is where it has not the form, or gives no date."""
    if dates in TICKS:
        ticks = f"TRY_CAST(TRY_CAST({given} AS BIGINT)::HUGEINT * {TICKS[dates]} AS BIGINT)"
        return f"coalesce(TRY(strftime(make_timestamp({ticks}), '%Y-%m-%dT%H:%M:%SZ')), {given})"
    form, groups = DATES[dates]
    year, month, day, rest = (f"regexp_extract({given}, {text(form)}, {group})" for group in groups)
    date = f"concat({year}, '-', lpad({month}, 2, '0'), '-', lpad({day}, 2, '0'))"
    is_date = f"regexp_full_match({given}, {text(form)}) AND TRY_CAST({date} AS DATE) IS NOT NULL"
    return f"CASE WHEN {is_date} THEN concat({date}, {rest}) ELSE {given} END"
