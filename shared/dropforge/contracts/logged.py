"""Predictions that were answered and labels that came later: how each is named, and where it lies.

Both are kept by partition, so that the two of one prediction always meet: by the hour in which it was answered or,
where the caller gave the key of the row, by a digit of that key's name. A prediction's id begins with its partition.
Read by `predict`, so without pydantic.
"""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from functools import lru_cache
from hashlib import blake2b
from typing import Any

PREDICTIONS_TOPIC, PREDICTIONS_SCHEMA = "predictions-logged", "predictions.logged/1"
LABELS_TOPIC, LABELS_SCHEMA = "labels-given", "labels.given/1"

KEYED = "k"  # begins each partition by key; one by the hour begins with a digit

_WHOLE = 2**53  # up to which a float tells every whole number from its neighbours
_ID = re.compile(rf"(?P<partition>\d{{10}}|{KEYED}[0-9a-f])-[0-9a-f]{{16}}-\d{{1,5}}")


def partition_of_time(seconds: float) -> str:
    """The hour of a moment, in seconds since the epoch.

    >>> partition_of_time(0)
    '1970010100'
    """
    return _hour(int(seconds // 3600))


@lru_cache(maxsize=4)  # each prediction asks for that of its moment
def _hour(hours: int) -> str:
    return datetime.fromtimestamp(hours * 3600, UTC).strftime("%Y%m%d%H")


def partition_of_key(name: str) -> str:
    """One of sixteen, by the first digit of a key's name."""
    return f"{KEYED}{name[0]}"


def partition_of_id(prediction_id: str) -> str | None:
    """The partition that an id names, or None where it is no prediction's id.

    >>> partition_of_id("2013010110-0123456789abcdef-0")
    '2013010110'
    """
    found = _ID.fullmatch(prediction_id)
    return found["partition"] if found else None


def prediction_id(partition: str, request_id: str, index: int) -> str:
    """The id of one answer of a request."""
    return f"{partition}-{request_id}-{index}"


def key_name(key: Mapping[str, Any]) -> str:
    """32 hexadecimal digits, equal for every way in which one key is written.

    A whole number may come as 5 or 5.0, a moment as text or as a time, in any zone; without one it counts as UTC.
    Whole numbers of any size differ where they are written without a fraction.

    >>> key_name({"id": 5, "at": "2013-01-01T10:00:00Z"}) == key_name(
    ...     {"at": datetime(2013, 1, 1, 10), "id": 5.0}
    ... )
    True
    """
    written = repr([(name, _form(key[name])) for name in sorted(key)])
    return blake2b(written.encode(), digest_size=16, person=b"key").hexdigest()


def _form(value: Any) -> Any:
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return value
    if isinstance(value, datetime):
        return ("time", (value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp())
    if isinstance(value, date):
        return ("time", datetime(value.year, value.month, value.day, tzinfo=UTC).timestamp())
    if isinstance(value, float) and abs(value) > _WHOLE and value.is_integer():
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) <= _WHOLE:
        return float(value)
    return value


def predictions(pipeline: str, partition: str = "", chunk: str = "") -> str:
    """Parquet: answered predictions of one partition that were logged together, written once. Or the prefix of all."""
    return _place("predictions", pipeline, partition, chunk, "parquet")


def labels(pipeline: str, partition: str = "", chunk: str = "") -> str:
    """Parquet: labels of one partition that came together, written once. Or the prefix of all."""
    return _place("labels", pipeline, partition, chunk, "parquet")


def joined(pipeline: str, partition: str = "", part: str = "") -> str:
    """Parquet: predictions with their labels that were not in an earlier part, written once. Or the prefix of all."""
    return _place("outcomes", pipeline, partition, part, "parquet")


def archived(pipeline: str, what: str, number: str = "") -> str:
    """JSON: the chunks that one BigQuery load takes in, written once. Or the prefix of all."""
    return _place("archive", pipeline, what, number, "json")


def _place(kind: str, pipeline: str, folder: str, file: str, suffix: str) -> str:
    return f"{kind}/{pipeline}/" + (f"{folder}/" if folder else "") + (f"{file}.{suffix}" if file else "")
