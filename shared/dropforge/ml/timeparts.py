"""Parts of points in time: hour, weekday, and so on, in a time zone, by integer arithmetic on whole arrays."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from dropforge.contracts.errors import RequestInvalid

Instants = NDArray[np.datetime64]

# Every offset that a zone has had since 1972 changes on a multiple of this:
# https://data.iana.org/time-zones/theory.html
_BLOCK_MICROSECONDS = 15 * 60 * 1_000_000


def instants(values: Any, column: str) -> Instants:
    """Points in time in UTC, `datetime64[us]`; NaT where missing.

    Takes Arrow timestamps, NumPy datetimes, and Python or ISO 8601 times, in which no offset means UTC.

    Raises:
        RequestInvalid: a value is none of these; names the row and the column.
    """
    if hasattr(values, "to_numpy"):
        values = values.to_numpy(zero_copy_only=False)
    if isinstance(values, np.ndarray) and values.dtype.kind == "M":
        return values.astype("datetime64[us]")
    return np.array([_instant(value, row, column) for row, value in enumerate(values)], dtype="datetime64[us]")


def _instant(value: object, row: int, column: str) -> np.datetime64:
    if value is None:
        return np.datetime64("NaT", "us")
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        moment = None
    if isinstance(moment, datetime):
        return np.datetime64(moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment, "us")
    if isinstance(moment, date):
        return np.datetime64(moment, "us")
    raise RequestInvalid(
        f"Row {row}, column {column!r}: expected a time such as 2013-01-31T10:00:00Z. Found {value!r}.",
        row=row,
        column=column,
    )


def part_of(times: Instants, part: str, zone: str) -> NDArray[np.float64]:
    """One part of each time as the clocks of `zone` show it; NaN where missing.

    `hour` 0-23, `minute_of_day` 0-1439, `weekday` 0 (Monday)-6, `month` 1-12, `day_of_year` 1-366.
    """
    result = np.full(len(times), np.nan)
    present = ~np.isnat(times)
    result[present] = _PARTS[part](_local(times[present], zone))
    return result


def _local(times: Instants, zone: str) -> Instants:
    if zone == "UTC":
        return times
    blocks, which = np.unique(times.astype(np.int64) // _BLOCK_MICROSECONDS, return_inverse=True)
    info = ZoneInfo(zone)
    offsets = np.array([_offset(int(block), info) for block in blocks], dtype="timedelta64[us]")
    local: Instants = times + offsets[which]
    return local


def _offset(block: int, zone: ZoneInfo) -> np.timedelta64:
    start = datetime.fromtimestamp(block * _BLOCK_MICROSECONDS / 1_000_000, zone)
    return np.timedelta64(start.utcoffset(), "us")


def _since(local: Instants, start: str) -> NDArray[np.timedelta64]:
    """How far each time lies after the start of its day, month or year."""
    passed: NDArray[np.timedelta64] = np.subtract(local, local.astype(f"datetime64[{start}]"))
    return passed


_PARTS: dict[str, Callable[[Instants], NDArray[np.int64]]] = {
    "hour": lambda local: _since(local, "D") // np.timedelta64(1, "h"),
    "minute_of_day": lambda local: _since(local, "D") // np.timedelta64(1, "m"),
    "weekday": lambda local: (local.astype("datetime64[D]").astype(np.int64) + 3) % 7,  # 1970-01-01 was a Thursday
    "month": lambda local: local.astype("datetime64[M]").astype(np.int64) % 12 + 1,
    "day_of_year": lambda local: _since(local, "Y") // np.timedelta64(1, "D") + 1,
}
