"""What was answered on one UTC day, whether it was asked for by features or by key."""

from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc

from dropforge.core.logged import days, tables
from dropforge.core.logged.tables import Read
from dropforge.core.ports import Objects


def answered_on(state: Objects, known: days.Chunks, day: str, read: Read = tables.read) -> pa.Table:
    """What was answered on a day (`core.logged.tables.PREDICTIONS`). Of the log by key, the next day's is looked into
    as well: an answer of the last moments is logged after midnight."""
    begins = datetime.strptime(day, "%Y%m%d").replace(tzinfo=UTC)
    ends = begins + timedelta(days=1)
    places = [*known.get(day, ()), *(place for place in known.get(f"{ends:%Y%m%d}", ()) if days.by_key(place))]
    found = pa.concat_tables([tables.PREDICTIONS.empty_table(), *(read(state, place) for place in places)])
    at = found["at"]
    of_day = pc.and_(pc.greater_equal(at, pa.scalar(begins, at.type)), pc.less(at, pa.scalar(ends, at.type)))
    return found.filter(of_day)
