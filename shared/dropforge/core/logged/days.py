"""The log of predictions by the UTC day: where it lies and which days are over. Of no rows, so without pyarrow."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from dropforge.contracts import logged
from dropforge.core.ports import Objects

NEWEST = 7  # days of the log that are looked at
GRACE = timedelta(minutes=15)  # after a day's end, for what was answered in its last minutes

# A partition by the hour names the day; in one by key, the chunk's name begins with when it was logged.
_CHUNK = re.compile(rf"(?P<hour>\d{{8}})\d\d/|{logged.KEYED}[0-9a-f]/(?P<milliseconds>\d{{13}})-")

Chunks = Mapping[str, Sequence[str]]


def chunks(state: Objects, pipeline: str) -> Chunks:
    """Where the log lies, by the day (YYYYMMDD) on which it was answered or, of what was asked for by key, logged."""
    prefix = logged.predictions(pipeline)
    found: dict[str, list[str]] = {}
    for info in state.list(prefix):
        named = _CHUNK.match(info.name, len(prefix))
        if named is not None:
            day = named["hour"] or f"{_moment(named['milliseconds']):%Y%m%d}"
            found.setdefault(day, []).append(info.name)
    return found


def ended(known: Chunks, now: float) -> list[str]:
    """The newest days of the log that are over at `now`, in seconds since the epoch; the oldest of them first."""
    today = f"{datetime.fromtimestamp(now, UTC) - GRACE:%Y%m%d}"
    return sorted(day for day in known if day < today)[-NEWEST:]


def by_key(place: str) -> bool:
    """Whether a chunk is of what was asked for with a key."""
    return place.split("/")[2].startswith(logged.KEYED)


def _moment(milliseconds: str) -> datetime:
    return datetime.fromtimestamp(int(milliseconds) / 1000, UTC)
