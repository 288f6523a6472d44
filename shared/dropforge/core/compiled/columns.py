"""The features of a compiled predictor: where each value is read from, and how it becomes a number.

It reads what a request holds, text and numbers, and gives the doubles that `ml.encoder` gives.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from dropforge.contracts.errors import RequestInvalid

_ALIKE_SINCE = 1973  # from this year on, the offset of a zone changes on a quarter of an hour: see `timeparts`
_BLOCK = timedelta(minutes=15)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNREADABLE = (TypeError, ValueError, AttributeError, OverflowError)

Read = Callable[[Any], float]


@dataclass(frozen=True)
class Column:
    """One feature: where its value is read from, and how. `codes` is for categories, `part` and `zone` for times."""

    name: str
    column: str
    kind: str
    part: str = ""
    zone: str = ""
    codes: Mapping[str, float] | None = None
    unseen: bool = False  # it had no value in training, and is 0 in every row


class Encoding:
    """Makes the numbers of a row from what a request holds."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self.columns = list(columns)
        self._readers = [(column.column, _reader(column)) for column in columns]

    def encoded(self, instance: Mapping[str, Any], row: int) -> list[float]:
        """The features of an instance, a JSON object of raw columns; NaN is missing, as is a column that is absent.

        Raises:
            RequestInvalid: a value cannot be read as its column's type; names the row and the column.
        """
        try:
            return [read(instance.get(column)) for column, read in self._readers]
        except _UNREADABLE:
            raise self._unreadable(instance, row) from None

    def _unreadable(self, instance: Mapping[str, Any], row: int) -> RequestInvalid:
        for (column, read), each in zip(self._readers, self.columns, strict=True):
            value = instance.get(column)
            try:
                read(value)
            except _UNREADABLE:
                return RequestInvalid(
                    f"Row {row}, column {column!r}: expected a {each.kind}. Found {value!r}.", row=row, column=column
                )
        raise AssertionError("Every value of the row can be read.")


def _reader(column: Column) -> Read:
    if column.unseen:
        return lambda _: 0.0
    if column.kind == "category":
        codes = dict(column.codes or {})
        return lambda value: math.nan if value is None else codes.get(str(value), math.nan)
    if column.kind == "number":
        return lambda value: math.nan if value is None else float(value)
    return _time_reader(column)


def _time_reader(column: Column) -> Read:
    zone = UTC if column.zone == "UTC" else ZoneInfo(column.zone)
    part = _PARTS[column.part]

    def read(value: Any) -> float:
        if value is None:
            return math.nan
        moment = datetime.fromisoformat(value) if isinstance(value, str) else value
        if isinstance(moment, date) and not isinstance(moment, datetime):
            moment = datetime(moment.year, moment.month, moment.day, tzinfo=UTC)
        moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
        if moment.year >= _ALIKE_SINCE:
            return part(moment.astimezone(zone))
        # Before, `timeparts` takes the offset at the start of the quarter of an hour.
        block = _EPOCH + (moment - _EPOCH) // _BLOCK * _BLOCK
        return part(moment + (block.astimezone(zone).utcoffset() or timedelta()))

    return read


_PARTS: dict[str, Callable[[datetime], float]] = {
    "hour": lambda local: float(local.hour),
    "minute_of_day": lambda local: float(local.hour * 60 + local.minute),
    "weekday": lambda local: float(local.weekday()),
    "month": lambda local: float(local.month),
    "day_of_year": lambda local: float(local.timetuple().tm_yday),
}
