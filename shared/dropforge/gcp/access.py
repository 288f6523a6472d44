"""One line for each HTTP request, as Cloud Logging reads it, and the ids that link it to others.

Written without the logging module, which costs more than a prediction.
"""

import os
import sys
from collections.abc import Iterable
from typing import Any

import orjson

Headers = Iterable[tuple[bytes, bytes]]

_LONGEST_ID = 128


def new_id() -> str:
    """16 random hexadecimal digits."""
    return os.urandom(8).hex()


def given_id(headers: Headers) -> str | None:
    """The caller's own `x-request-id`, if it is of a sensible length."""
    value = _header(headers, b"x-request-id")
    return value if value and len(value) <= _LONGEST_ID else None


def trace(headers: Headers, project: str) -> dict[str, str]:
    """The W3C trace context that came along, in the form that Cloud Logging links by."""
    parts = (_header(headers, b"traceparent") or "").split("-")
    if len(parts) != 4:
        return {}
    return {
        "logging.googleapis.com/trace": f"projects/{project}/traces/{parts[1]}",
        "logging.googleapis.com/spanId": parts[2],
    }


def write(method: str, path: str, status: int, seconds: float, **fields: Any) -> None:
    """Write one request's line to standard output."""
    severity = "INFO" if status < 400 else "WARNING" if status < 500 else "ERROR"
    line = {
        "severity": severity,
        "message": f"{method} {path} {status}",
        "status": status,
        "seconds": round(seconds, 6),
        **fields,
    }
    sys.stdout.buffer.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
    sys.stdout.buffer.flush()


def _header(headers: Headers, wanted: bytes) -> str | None:
    for name, value in headers:
        if name == wanted:
            return value.decode("latin-1")
    return None
