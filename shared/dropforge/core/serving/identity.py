"""What names a row or a key: sixteen bytes that are equal whenever the model cannot tell two instances apart.

A request writes the same value in several ways: 187 and 187.0, `Z` and `+00:00`, null and a field left out. Each is
brought into one form first. Where two forms of one value do get two names, that costs a look-up, never a wrong answer.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from hashlib import blake2b
from typing import Any, Literal

from dropforge.contracts.instances import Field

BYTES = 16
Domain = Literal["features", "key"]


class Identity:
    """Names instances by the given fields; a key and a row of equal values have different names."""

    def __init__(self, domain: Domain, fields: Sequence[Field]) -> None:
        self._person = domain.encode()
        self._forms = [(field.name, _FORMS.get(field.type, _as_it_is)) for field in fields]

    def of(self, instance: Mapping[str, Any]) -> bytes:
        """The name of an instance that fits the fields, `BYTES` long. Fields beyond these are not looked at."""
        values = [
            None if (value := instance.get(name)) is None else form(value)  # null is what is absent
            for name, form in self._forms
        ]
        return blake2b(repr(values).encode(), digest_size=BYTES, person=self._person).digest()


def _as_it_is(value: Any) -> Any:
    return value


def _moment(value: Any) -> float:
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _day(value: Any) -> str:
    return value.isoformat() if isinstance(value, date) else date.fromisoformat(value).isoformat()


_FORMS: dict[str, Callable[[Any], Any]] = {
    "integer": int,
    "number": float,
    "timestamp": _moment,
    "date": _day,
}
