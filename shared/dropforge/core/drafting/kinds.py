"""From what was seen of a column to its rules: type, range, unit and allowed values, and a comment that says why."""

import math
from dataclasses import dataclass, field

from dropforge.contracts.models import FieldType
from dropforge.contracts.pipeline import Column
from dropforge.core.drafting.sample import TRIED, Sample, Seen
from dropforge.core.drafting.words import ASKING, CODES, unit_of, words

ENOUGH = 0.99  # of the values must fit a type; the others are then mistakes
MANY_WORDS = 4  # a value has on average, in a text
FAR = 5  # times what 99.9 % of the values reach, where at least SURE rows have a value
SURE = 1000
LISTED = 12  # different values that are listed as allowed


@dataclass
class Drafted:
    """A column's rules, and the reasons."""

    seen: Seen
    column: Column
    why: list[str] = field(default_factory=list)


def drafted(sample: Sample) -> dict[str, Drafted]:
    """The rules of every column that can be named."""
    return {name: _drafted(seen, sample.rows) for name, seen in sample.columns.items()}


def _drafted(seen: Seen, rows: int) -> Drafted:
    kind, why = _kind(seen, rows)
    rules: dict[str, object] = {}
    if seen.values == rows:
        rules["required"] = True
    elif seen.values:
        why.append(f"{_share(rows - seen.values, rows)} have no value")
    if kind in ("integer", "number") and seen.low is not None and seen.high is not None:
        rules |= _range(seen, kind, seen.low, seen.high, why)
    if kind == "category" and _is_closed(seen, rows):
        rules["allowed"] = sorted(value for value, _ in seen.top)
        why.append("every value comes often, so another is a mistake: take 'allowed' out if new ones may come")
    return Drafted(seen, Column(type=kind, **rules), why)


def _kind(seen: Seen, rows: int) -> tuple[FieldType, list[str]]:
    if not seen.values:
        return "text", ["no value in the whole sample, so nothing is known of it"]
    fitting = [kind for kind in TRIED if seen.fits[kind] >= ENOUGH * seen.values and seen.fits[kind]]
    kind: FieldType = fitting[0] if fitting else "category"
    if "boolean" in fitting and not set(fitting) & {"integer", "number"}:
        kind = "boolean"
    if kind == "integer" and seen.leading_zeros:
        return "category", [f"numbers with leading zeros, such as in {seen.leading_zeros:,} rows, are codes"]
    if kind == "integer" and words(seen.name)[-1:] != [] and words(seen.name)[-1] in CODES and seen.distinct < rows:
        return "category", ["numbers, but codes by the name: more is not better"]
    why = []
    if fitting and (misfits := seen.values - seen.fits[kind]):
        why.append(f"{_share(misfits, rows)} are no {kind} and will be quarantined")
    if kind == "category" and (seen.words > MANY_WORDS or (seen.longest > 60 and seen.distinct > rows / 2)):
        return "text", [
            f"{seen.words:.0f} words on average: text, which only logistic regression reads: add it by hand"
        ]
    if kind == "category":
        why.append(f"{seen.distinct:,} different values")
    return kind, why


def _range(seen: Seen, kind: FieldType, low: float, high: float, why: list[str]) -> dict[str, object]:
    clock = seen.clock == seen.values and kind == "integer"
    guess = unit_of(seen.name, low, high, clock)
    why.append(f"seen {low:g} to {high:g}")
    rules: dict[str, object] = {}
    least, most = (guess.low, guess.high) if guess else (None, None)
    if guess:
        rules["unit"] = guess.unit
        why.append(guess.why)
    else:
        why += [f"which unit: {question}" for word, question in ASKING.items() if word in words(seen.name)][:1]
    rules["min"] = least if least is not None else (0.0 if low >= 0 else -wide(-low))
    if most is None and seen.values >= SURE and seen.nearly_high and high > FAR * seen.nearly_high > 0:
        why.append(f"{high:g} lies far from the rest, of which 99.9 % are at most {seen.nearly_high:g}: a mistake?")
        high = seen.nearly_high
    rules["max"] = most if most is not None else (wide(high) if high > 0 else 0.0)
    return rules


def wide(value: float) -> float:
    """Twice a positive number, rounded up to 1, 2 or 5 and zeros: room for what a sample does not show.

    >>> wide(4983)
    10000.0
    """
    unit = 10.0 ** math.floor(math.log10(2 * value))
    return float(next(step * unit for step in (1, 2, 5, 10) if step * unit >= 2 * value * (1 - 1e-12)))


def _is_closed(seen: Seen, rows: int) -> bool:
    return 1 < seen.distinct <= LISTED and len(seen.top) == seen.distinct and seen.top[-1][1] >= max(5, rows // 1000)


def _share(count: int, rows: int) -> str:
    return f"{count:,} of {rows:,} rows"
