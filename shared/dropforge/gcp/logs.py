"""Logs as Cloud Logging reads them: one JSON object a line on standard output, with the delivery's context in each.

https://cloud.google.com/logging/docs/structured-logging
"""

import json
import logging
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

from dropforge.contracts.errors import DropforgeError

_context: ContextVar[dict[str, Any]] = ContextVar("dropforge_log_context", default={})  # noqa: B039  # never mutated


class JsonLines(logging.Formatter):
    """Formats a record (`extra={"fields": {...}}` adds fields) with the context, and the error if there is one."""

    def format(self, record: logging.LogRecord) -> str:
        """One line of JSON."""
        said: dict[str, Any] = {
            "severity": record.levelname,
            "message": record.getMessage(),
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "logger": record.name,
            **_context.get(),
            **getattr(record, "fields", {}),
        }
        error = record.exc_info[1] if record.exc_info else None
        if error is not None:
            said["error"] = error_fields(error)
            said["stack_trace"] = "".join(traceback.format_exception(error))  # what Error Reporting groups by
        return json.dumps(said, default=str, ensure_ascii=False)


class _StandardOutput(logging.StreamHandler[Any]):
    """Writes to what `sys.stdout` is at the moment of writing."""

    def emit(self, record: logging.LogRecord) -> None:
        self.stream = sys.stdout
        super().emit(record)


def logger(name: str) -> logging.Logger:
    """The logger `dropforge.<name>`; the first call sets up the JSON lines."""
    root = logging.getLogger("dropforge")
    if not root.handlers:
        handler = _StandardOutput()
        handler.setFormatter(JsonLines())
        root.addHandler(handler)
        root.setLevel(logging.INFO)
        root.propagate = False
    return root.getChild(name)


@contextmanager
def context(**fields: Any) -> Iterator[None]:
    """Put `fields` into every line that is logged within the block, in this task or thread."""
    token = _context.set({**_context.get(), **{key: value for key, value in fields.items() if value is not None}})
    try:
        yield
    finally:
        _context.reset(token)


def error_fields(error: BaseException) -> dict[str, Any]:
    """An error as a log carries it: its type, its message, and the fields of Dropforge's own errors."""
    own = error.fields if isinstance(error, DropforgeError) else {}
    return {"type": type(error).__name__, "message": str(error), **own}
