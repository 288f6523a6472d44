"""Names of the files that a Cloud Storage subscription writes: prefix, time in UTC, a unique part, suffix."""

import re
from datetime import datetime
from typing import Any
from uuid import uuid4

from emulators.pubsub.errors import invalid

_DEFAULT = "YYYY-MM-DDThh:mm:ss+00:00"
_MEANINGS = {"YYYY": "%Y", "YY": "%y", "MM": "%m", "DD": "%d", "hh": "%H", "mm": "%M", "ss": "%S"}
_MATCHER = re.compile("|".join(_MEANINGS))


def check_datetime_format(text: str) -> None:
    """Raises INVALID_ARGUMENT unless each part of a date and a time is there exactly once, or `text` is empty."""
    if not text:
        return
    found = sorted({"YY": "YYYY"}.get(each, each) for each in _MATCHER.findall(text))
    if found != sorted(set(_MEANINGS) - {"YY"}):
        raise invalid(
            "The filename_datetime_format must hold YYYY (or YY), MM, DD, hh, mm and ss, each once."
            f" Got {text!r}, for example YYYY-MM-DD/hh_mm_ssZ."
        )


def file_name(config: Any, opened: datetime) -> str:
    """A name for a file opened at this UTC time under a CloudStorageConfig; no two are the same."""
    pattern = config.filename_datetime_format or _DEFAULT
    at = _MATCHER.sub(lambda found: opened.strftime(_MEANINGS[found[0]]), pattern)
    return f"{config.filename_prefix}{at}_{uuid4().hex[:6]}{config.filename_suffix}"
