"""Causes for values that are not of their column's type: a decimal comma, another form of date, a word for no value."""

import re
from collections.abc import Iterator
from typing import Any

from dropforge.contracts.examination import Repair
from dropforge.contracts.profile import ColumnProfile
from dropforge.core.diagnosis import suggest
from dropforge.core.diagnosis.candidate import Candidate
from dropforge.core.diagnosis.categories import NOTHING

MONTHS = 12
MILLISECONDS = 11  # digits, from which on a time since 1970 is not in seconds
FORMS = [
    ("decimal_comma", r"[+-]?\d{1,3}(\.\d{3})*,\d+|[+-]?\d+,\d+", "have a decimal comma"),
    ("thousands_separator", r"[+-]?\d{1,3}([ '\u00a0\u202f]\d{3})+(\.\d+)?", "have thousands apart"),
    ("decimal_point", r"[+-]?\d+\.\d+", "are fractions, as in a unit that is larger"),
    ("unit_in_value", r"[+-]?[\d.]+ ?[A-Za-z%°]+", "have their unit beside them"),
    ("date_format", r"\d{1,2}[./-]\d{1,2}[./-]\d{2,4}.*", "are dates in another form"),
    ("epoch_times", r"\d{9,19}", "are times in seconds since 1970"),
    ("mojibake", r".*(Ã|Â|â€|\ufffd).*", "were written in one encoding and read in another"),
]  # fmt: skip


def causes(name: str, column: ColumnProfile) -> Iterator[Candidate]:
    """Every cause that accounts for some of the values that cannot be read."""
    total = sum(column.unreadable.values())
    if not total:
        return
    rows = column.present - column.readable
    for cause, form, what in FORMS:
        hits = [text for text in column.unreadable if re.fullmatch(form, text.strip())]
        hit = sum(column.unreadable[text] for text in hits) / total
        if hits:
            yield Candidate(
                cause,
                hit * 0.98,
                hit * rows / column.present,
                f"{hit * rows / column.present:.0%} of its values {what}",
                [f"{hit:.0%} of the values that cannot be read are such, for example {hits[0]!r}."],
                _undone(cause, name, column, hits),
            )
    words = [text for text in column.unreadable if text.strip().lower() in NOTHING]
    if words:
        hit = sum(column.unreadable[text] for text in words) / total
        yield Candidate(
            "nulls_to_text",
            hit,
            hit * rows / column.present,
            f"{words[0]!r} stands for no value",
            [f"{hit:.0%} of the values that cannot be read are {words[0]!r}."],
            Repair(change=f"Add {words[0]!r} to the null markers.", yaml=f'null_markers: [NA, "{words[0]}"]'),
        )


def _undone(cause: str, name: str, column: ColumnProfile, hits: list[str]) -> Repair:
    keys: dict[str, Any] = {}
    if cause in ("decimal_comma", "mojibake"):
        keys = {"decimal": ","} if cause == "decimal_comma" else {"mojibake": True}
    elif cause in ("thousands_separator", "unit_in_value"):
        keys = {"remove": "[ '\u00a0\u202f]" if cause == "thousands_separator" else "[A-Za-z%° ]+$"}
    elif column.type in ("timestamp", "date") and cause in ("date_format", "epoch_times"):
        keys = {"dates": _order(hits) if cause == "date_format" else "epoch_seconds"}
        if cause == "epoch_times" and max(map(len, hits)) > MILLISECONDS:
            keys = {"dates": "epoch_milliseconds"}
    if not keys:
        return Repair(change=f"Let the source write {name!r} as before, and drop the file again.")
    return suggest.repair(name, f"To undo it, read {name!r} as it came.", **keys)


def _order(texts: list[str]) -> str:
    """Which stands first, by a number that is no month; the day where none tells, as most of the world writes."""
    parts = [re.split("[./-]", text.strip()) for text in texts]
    month_first = any(int(part[1]) > MONTHS for part in parts)
    return "month_first" if month_first else "day_first"
