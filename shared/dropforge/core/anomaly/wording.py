"""Anomalies in words: a code for machines and one plain sentence for a person."""

from dataclasses import dataclass
from math import exp

from dropforge.contracts.profile import Profile
from dropforge.core.anomaly.statistics import Key

CODES = {
    "rows": "row_count",
    "rejected": "rejected_lines",
    "repeated": "repeated_rows",
    "span": "time_covered",
    "begins": "time_covered",
    "ends": "time_covered",
    "nulls": "null_share",
    "unreadable": "unreadable_values",
    "distinct": "distinct_values",
    "class": "text_form",
    "new_patterns": "text_form",
    "hour": "time_of_day",
    "new_hours": "time_of_day",
    "stray": "stray_times",
    "value": "category_share",
    "unseen": "new_values",
    "together": "relation_broken",
    "determined": "relation_broken",
    "equation": "relation_broken",
    "clocks": "relation_broken",
    "predicted": "relation_broken",
}
SHARES = {
    "rejected": "of the lines could not be read",
    "repeated": "of the rows repeat an earlier row in every column",
    "nulls": "of its rows are empty",
    "unreadable": "of its values are not of its type",
    "new_patterns": "of its values have a form that was never seen before",
    "new_hours": "of its times are at hours of the day that were never seen before",
    "stray": "of its times lie far from the rest of the file",
    "unseen": "of its values were never seen before",
    "above": "of its values are far above any before",
    "below": "of its values are far below any before",
    "zeros": "of its values are zero",
    "negatives": "of its values are below zero",
    "whole": "of its values are whole numbers",
    "first_zeros": "of its values are zero, as none was before",
    "first_negatives": "of its values are below zero, as none was before",
    "first_fractions": "of its values are no whole numbers, as all were before",
}
CLASSES = {
    "upper": "have capital letters",
    "lower": "have small letters",
    "padded": "have blanks around them",
    "foreign": "have characters beyond ASCII",
}


@dataclass(frozen=True)
class Said:
    """What there is to say. Of `rows`, `span` and `distinct` the values are logarithms."""

    key: Key
    observed: float
    forecast: float
    low: float
    high: float
    batches: int


def code(key: Key, reference: Profile, profile: Profile) -> str:
    """The stable code of a verdict's reason. A column that went empty, or came alive, has its own."""
    if key.kind == "nulls":
        known, column = reference.columns[key.column], profile.columns[key.column]
        if not column.present:
            return "column_empty"
        if not known.present:
            return "column_alive"
    return CODES.get(key.kind, "distribution")


def sentence(said: Said) -> str:
    """One plain sentence with what was found and what was usual."""
    key = said.key
    if key.kind in ("rows", "distinct"):
        what = "rows" if key.kind == "rows" else "different values"
        subject = "The file has" if key.kind == "rows" else f"{key.column!r} has"
        numbers = [round(exp(value) - 1) for value in (said.observed, said.low, said.high)]
        return f"{subject} {numbers[0]:,} {what}; {numbers[1]:,} to {numbers[2]:,} in {_before(said)}."
    if key.kind in ("begins", "ends"):
        return _bound(said)
    if key.kind == "span":
        days = [max(exp(value) - 3600, 0) / 86400 for value in (said.observed, said.low, said.high)]
        return f"The file covers {days[0]:,.1f} days; {days[1]:,.1f} to {days[2]:,.1f} in {_before(said)}."
    if CODES.get(key.kind) == "relation_broken":
        usual = f"{said.low:.1%} to {said.high:.1%} in {_before(said)}"
        return f"in {said.observed:.1%} of the rows it is not so that {key.detail}; {usual}."
    subject = f"{key.column!r}: " if key.column else ""
    usual = f"{said.low:.1%} to {said.high:.1%} in {_before(said)}"
    return f"{subject}{said.observed:.1%} {_what(key)}; {usual}."


def _bound(said: Said) -> str:
    which = "first" if said.key.kind == "begins" else "last"
    bound = "begin" if said.key.kind == "begins" else "end"
    days = ", ".join(f"{value:+.1f}" for value in (said.low, said.high))
    return (
        f"Its {which} time is {said.observed:+.1f} days from the {bound} of its {said.key.detail}; "
        f"{days.replace(', ', ' to ')} in {_before(said)}."
    )


def _what(key: Key) -> str:
    if key.kind == "value":
        return f"of its values are {key.detail!r}"
    if key.kind == "hour":
        return f"of its times are between {key.detail}:00 and {key.detail}:59 UTC"
    if key.kind == "at_most":
        return f"of its values are at most {key.detail}"
    return f"of its values {CLASSES[key.detail]}" if key.kind == "class" else SHARES[key.kind]


def _before(said: Said) -> str:
    return f"the {said.batches} batches before"
