"""What a value that fastavro gives is as text, for the rules to type."""

import json
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any


def as_text(value: Any) -> str | None:
    """The text of a value; None for none and for an empty text.

    >>> as_text(datetime(2013, 1, 31, 23, 59, tzinfo=UTC))
    '2013-01-31T23:59:00Z'
    >>> as_text({"a": [True, b"x"]})
    '{"a":[true,"78"]}'
    """
    if value is None or value == "":
        return None
    if isinstance(value, dict | list | tuple):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=as_text)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z") if value.tzinfo else value.isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, Decimal):
        return format(value, "f")
    return str(value)
