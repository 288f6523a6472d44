"""The log of predictions by the UTC day: what was answered on it, whether it was asked for by features or by key."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc

from dropforge.contracts import logged
from dropforge.core.logged import tables
from dropforge.core.logged.tables import Read
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


def rows(state: Objects, known: Chunks, day: str, read: Read = tables.read) -> pa.Table:
    """What was answered on a day (`core.logged.tables.PREDICTIONS`). Of the log by key, the next day's is looked into
    as well: an answer of the last moments is logged after midnight."""
    begins = datetime.strptime(day, "%Y%m%d").replace(tzinfo=UTC)
    ends = begins + timedelta(days=1)
    places = [*known.get(day, ()), *(place for place in known.get(f"{ends:%Y%m%d}", ()) if _by_key(place))]
    found = pa.concat_tables([tables.PREDICTIONS.empty_table(), *(read(state, place) for place in places)])
    at = found["at"]
    of_day = pc.and_(pc.greater_equal(at, pa.scalar(begins, at.type)), pc.less(at, pa.scalar(ends, at.type)))
    return found.filter(of_day)


def _by_key(place: str) -> bool:
    return place.split("/")[2].startswith(logged.KEYED)


def _moment(milliseconds: str) -> datetime:
    return datetime.fromtimestamp(int(milliseconds) / 1000, UTC)
