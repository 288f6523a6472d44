"""The instances of a prediction request, checked strictly against a model's signature."""

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from difflib import get_close_matches
from reprlib import Repr
from typing import Any, Protocol

from dropforge.contracts.errors import RequestInvalid

MOST_PROBLEMS = 20  # listed in one answer; the rest are counted
_SHOWN = 80  # characters of a value that an answer repeats

Accepts = Callable[[Any], bool]


class Field(Protocol):
    """As `models.Field`, or as a server reads it, `served.ServedField`."""

    @property
    def name(self) -> str:
        """Of the column."""

    @property
    def type(self) -> str:
        """One of `models.FieldType`."""

    @property
    def required(self) -> bool:
        """Whether it must be there, and not null."""

    @property
    def unit(self) -> str | None:
        """Of a number."""

    @property
    def min(self) -> float | None:
        """Least, inclusive."""

    @property
    def max(self) -> float | None:
        """Most, inclusive."""

    @property
    def allowed(self) -> list[str] | None:
        """Of a category."""


@dataclass(frozen=True)
class Problem:
    """What is wrong with one field of one instance. `instance` counts from 0; `field` is empty for the whole."""

    instance: int
    field: str
    expected: str
    found: str

    @property
    def sentence(self) -> str:
        """The same to a person."""
        where = f"Instance {self.instance}, field {self.field!r}" if self.field else f"Instance {self.instance}"
        return f"{where}: expected {self.expected}. Found {self.found}."

    def member(self) -> dict[str, Any]:
        """One of the `errors` of a problem (RFC 9457), with a JSON pointer (RFC 6901) into the request."""
        pointer = f"/instances/{self.instance}" + (f"/{escaped(self.field)}" if self.field else "")
        return {"pointer": pointer, **asdict(self)}


def escaped(name: str) -> str:
    """A name as a part of a JSON pointer (RFC 6901)."""
    return name.replace("~", "~0").replace("/", "~1")


class Signature:
    """What a model takes, made ready to check many instances.

    A whole number may come as `830.0`: Vertex AI's clients send every number as a double.
    """

    def __init__(self, fields: Sequence[Field]) -> None:
        self.fields = list(fields)
        self._checks: dict[str, tuple[Accepts, bool]] = {
            field.name: (_accepts(field), not field.required) for field in fields
        }
        self._required = frozenset(field.name for field in fields if field.required)
        self._by_name = {field.name: field for field in fields}

    def check(self, instances: Sequence[Any]) -> None:
        """Nothing, when all is well.

        Raises:
            RequestInvalid: with `problems` in its fields, at most `MOST_PROBLEMS` of them, and their whole `count`.
        """
        wrong = [
            found
            for index, given in enumerate(instances)
            if not self.fits(given)
            for found in self.problems(index, given)
        ]
        if wrong:
            listed = [problem.member() for problem in wrong[:MOST_PROBLEMS]]
            more = f" And {len(wrong) - MOST_PROBLEMS} more." if len(wrong) > MOST_PROBLEMS else ""
            raise RequestInvalid(wrong[0].sentence + more, problems=listed, count=len(wrong))

    def fits(self, instance: Any) -> bool:
        """Whether an instance has no problem; fast, and says no more than that."""
        if type(instance) is not dict:
            return False
        checks = self._checks
        for name, value in instance.items():
            check = checks.get(name)
            if check is None or not (check[1] if value is None else check[0](value)):
                return False
        return self._required <= instance.keys()

    def problems(self, index: int, instance: Any) -> list[Problem]:
        """Every problem of one instance."""
        if type(instance) is not dict:
            return [Problem(index, "", "an object of fields", _shown(instance))]
        found = [self._unknown(index, name) for name in instance if name not in self._by_name]
        for name, field in self._by_name.items():
            if name not in instance:
                if field.required:
                    found.append(Problem(index, name, expectation(field), "nothing"))
                continue
            accepts, null = self._checks[name]
            value = instance[name]
            if not (null if value is None else accepts(value)):
                found.append(Problem(index, name, expectation(field), _shown(value)))
        return found

    def _unknown(self, index: int, name: str) -> Problem:
        near = get_close_matches(name, self._by_name, n=1)
        if near:
            return Problem(index, name, f"a field of the model, such as {near[0]!r}", "an unknown field")
        return Problem(index, name, f"one of {', '.join(self._by_name)}", "an unknown field")

    def told(self, index: int, instance: Any) -> list[dict[str, Any]]:
        """The problems of one instance as an answer lists them."""
        return [problem.member() for problem in self.problems(index, instance)[:MOST_PROBLEMS]]

    def example(self) -> dict[str, Any]:
        """An instance that fits: null where that is allowed."""
        return {field.name: _example(field) if field.required else None for field in self.fields}


def expectation(field: Field) -> str:
    """What a field takes, in words.

    >>> from dropforge.contracts.models import Field
    >>> expectation(Field(name="distance", type="integer", required=True, unit="mile", min=10, max=6000))
    'an integer in mile, from 10 to 6000'
    """
    said = _WORDS[field.type] + (f" in {field.unit}" if field.unit else "")
    if field.allowed is not None:
        said = "one of " + ", ".join(repr(value) for value in field.allowed)
    if field.min is not None and field.max is not None:
        said += f", from {field.min:g} to {field.max:g}"
    elif field.min is not None:
        said += f", at least {field.min:g}"
    elif field.max is not None:
        said += f", at most {field.max:g}"
    return said if field.required else f"{said}, or null"


def _accepts(field: Field) -> Accepts:
    if field.type in ("integer", "number"):
        return _number_check(field)
    if field.type == "boolean":
        return lambda value: type(value) is bool
    if field.type == "timestamp":
        return lambda value: type(value) is str and _reads(datetime.fromisoformat, value)
    if field.type == "date":
        return lambda value: type(value) is str and _reads(date.fromisoformat, value)
    if field.allowed is not None:
        allowed = frozenset(field.allowed)
        return lambda value: type(value) is str and value in allowed
    return lambda value: type(value) is str


def _number_check(field: Field) -> Accepts:
    low = -math.inf if field.min is None else field.min
    high = math.inf if field.max is None else field.max
    if field.type == "number":
        return lambda value: type(value) in (float, int) and low <= value <= high and math.isfinite(value)
    return lambda value: (type(value) is int or (type(value) is float and value.is_integer())) and low <= value <= high


def _reads(read: Callable[[str], object], value: str) -> bool:
    try:
        read(value)
    except ValueError:
        return False
    return True


def _example(field: Field) -> Any:
    if field.allowed:
        return field.allowed[0]
    if field.type in ("integer", "number"):
        low = 0.0 if field.min is None else field.min
        within = max(low, 0.0) if field.max is None else min(max(low, 0.0), field.max)
        return math.ceil(within) if field.type == "integer" else within
    return {"boolean": False, "timestamp": "2000-01-01T00:00:00Z", "date": "2000-01-01"}.get(field.type, "")


def _shown(value: Any) -> str:
    text = "null" if value is None else _OUTLINE.repr(value) if type(value) in (list, dict) else repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}... ({len(text)} characters)"


# A list or an object where a field stands is shown by its outline: it may be as deep and as long as a body can be.
_OUTLINE = Repr(maxlevel=2, maxlist=4, maxdict=4, maxstring=20)

_WORDS = {
    "integer": "an integer",
    "number": "a number",
    "boolean": "true or false",
    "category": "a text",
    "text": "a text",
    "timestamp": "a time such as 2013-01-31T10:00:00Z",
    "date": "a date such as 2013-01-31",
}
