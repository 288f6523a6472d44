"""Chunks of logged predictions and labels into BigQuery: every chunk once, many chunks in one load; and the log's days.

A load for each chunk would exceed what BigQuery allows, 1,500 loads a table and day; so each run of the schedule writes
down, once, which chunks are new, and loads those by a job whose id is that list's number.
https://cloud.google.com/bigquery/quotas#load_jobs
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress

from dropforge.contracts import drift, logged, places
from dropforge.contracts.errors import AlreadyExists, DropforgeError, JobFailed
from dropforge.contracts.events import LogDayEnded
from dropforge.contracts.logged import archived
from dropforge.core import pipelines
from dropforge.core.logged import days
from dropforge.core.logged.manifest import Manifest
from dropforge.core.ports import Clock, ObjectInfo, Objects, Topics, Warehouse
from dropforge.core.state import create_once, load
from dropforge.gcp import logs

MOST_CHUNKS = 5_000  # of one load; BigQuery takes 10,000 URIs
ATTEMPTS = 20  # of the jobs of one list
LOOK_BACK = 20  # lists at least, which is some hours of one every ten minutes
SOURCES = {"predictions": logged.predictions, "labels": logged.labels, "outcomes": logged.joined}

log = logs.logger("archive")


def tell_of_days(state: Objects, topics: Topics, clock: Clock) -> None:
    """Publish each day of each pipeline's log once it is over; after a death in between, once more."""
    for pipeline in pipelines.deployed(state):
        told = {info.name for info in state.list(drift.ended(pipeline))}
        for day in days.ended(days.chunks(state, pipeline), clock.now()):
            mark = drift.ended(pipeline, day)
            if mark not in told:
                topics.publish(LogDayEnded(pipeline=pipeline, day=day))
                with suppress(AlreadyExists):
                    state.create(mark, b"")


def archive(state: Objects, warehouse: Warehouse) -> None:
    """Load what is new of every pipeline; a repeat, or another at the same time, loads nothing twice.

    A source whose load fails holds up no other.

    Raises:
        DropforgeError: the first of what went wrong, such as a load that BigQuery did not take; the next run tries
            again.
    """
    failed = []
    for pipeline in pipelines.deployed(state):
        for what in SOURCES:
            try:
                while _archive(pipeline, what, state, warehouse):
                    pass  # there was more than a list takes
            except DropforgeError as error:
                log.warning(f"The {what} of {pipeline} are not loaded yet: {error.message}")
                failed.append(error)
    if failed:
        raise failed[0]


def _archive(pipeline: str, what: str, state: Objects, warehouse: Warehouse) -> bool:
    """List and load what is new, after what an earlier run listed; returns whether there may be more."""
    listed = list(state.list(archived(pipeline, what)))
    recent, since = _recent(listed, state)
    number = len(listed) + 1
    if recent and not _loaded(recent[-1], pipeline, what, state, warehouse):
        _list_and_load(Manifest(number=number, chunks=recent[-1].chunks), pipeline, what, state, warehouse)
        number += 1
    new = _new(state.list(SOURCES[what](pipeline)), recent, since)
    if new:
        _list_and_load(Manifest(number=number, chunks=new), pipeline, what, state, warehouse)
    return len(new) == MOST_CHUNKS


def _recent(listed: Sequence[ObjectInfo], state: Objects) -> tuple[list[Manifest], str]:
    """The newest lists, oldest first, and the time before which no chunk was written that these and older ones lack.

    A list that is not full has all that there was when it was made, which was after the list before it. So one reads
    back to the list before one that is not full; and some more, should clocks differ.
    """
    recent: list[Manifest] = []
    for info in reversed(listed):
        enough = len(recent) >= LOOK_BACK and len(recent[-1].chunks) < MOST_CHUNKS
        recent.append(_read(state, info.name))
        if enough:
            return recent[::-1], info.updated
    return recent[::-1], ""


def _new(chunks: Iterable[ObjectInfo], recent: list[Manifest], since: str) -> list[str]:
    """The chunks that no list has, of those written `since`: what is older, an older list took."""
    taken = {chunk for manifest in recent for chunk in manifest.chunks}
    return [info.name for info in chunks if info.updated >= since and info.name not in taken][:MOST_CHUNKS]


def _list_and_load(wanted: Manifest, pipeline: str, what: str, state: Objects, warehouse: Warehouse) -> None:
    where = archived(pipeline, what, f"{wanted.number:08d}")
    _loaded(create_once(state, where, wanted), pipeline, what, state, warehouse)


def _loaded(manifest: Manifest, pipeline: str, what: str, state: Objects, warehouse: Warehouse) -> bool:
    """Load a list; returns False where each job that it may have has failed, so that nothing of it is loaded."""
    uris = [f"gs://{state.bucket}/{chunk}" for chunk in manifest.chunks]
    job_ids = _job_ids(pipeline, what, manifest.number)
    try:
        warehouse.load(uris, places.log_table(pipeline, what), job_ids)
    except JobFailed:
        if next(job_ids, None) is None:
            return False
        raise
    return True


def _job_ids(pipeline: str, what: str, number: int) -> Iterator[str]:
    return (f"dropforge-{what}-{pipeline}-{number:08d}-{attempt}" for attempt in range(1, ATTEMPTS + 1))


def _read(state: Objects, place: str) -> Manifest:
    found = load(state, place, Manifest)
    assert found is not None, f"{place} was listed, and manifests are never deleted"
    return found[0]
