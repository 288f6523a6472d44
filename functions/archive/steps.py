"""Chunks of logged predictions and labels into BigQuery: every chunk once, many chunks in one load.

A load for each chunk would exceed what BigQuery allows, 1,500 loads a table and day; so each run of the schedule writes
down, once, which chunks are new, and loads those by a job whose id is that list's number.
https://cloud.google.com/bigquery/quotas#load_jobs
"""

from collections.abc import Iterable, Iterator

from dropforge.contracts import logged, places
from dropforge.contracts.logged import archived
from dropforge.core import pipelines
from dropforge.core.logged.manifest import Manifest
from dropforge.core.ports import ObjectInfo, Objects, Warehouse
from dropforge.core.state import create_once, load

MOST_CHUNKS = 5_000  # of one load; BigQuery takes 10,000 URIs
ATTEMPTS = 20
LOOK_BACK = 1_000  # lists, which is a week of one every ten minutes
SOURCES = {"predictions": logged.predictions, "labels": logged.labels, "outcomes": logged.joined}


def archive(state: Objects, warehouse: Warehouse) -> None:
    """Load what is new of every pipeline; a repeat, or another at the same time, loads nothing twice.

    Raises:
        JobFailed: BigQuery did not take a load; the next run tries again.
    """
    for pipeline in pipelines.deployed(state):
        for what, place in SOURCES.items():
            listed = list(state.list(archived(pipeline, what)))
            recent = [_read(state, info.name) for info in listed[-LOOK_BACK:]]
            if recent:  # it may have stopped between its list and its load
                _load(recent[-1], pipeline, what, state, warehouse)
            new = _new(state.list(place(pipeline)), recent, listed[-LOOK_BACK].updated if listed[LOOK_BACK:] else "")
            if new:
                manifest = Manifest(number=len(listed) + 1, chunks=new)
                where = archived(pipeline, what, f"{manifest.number:08d}")
                _load(create_once(state, where, manifest), pipeline, what, state, warehouse)


def _new(chunks: Iterable[ObjectInfo], recent: list[Manifest], since: str) -> list[str]:
    """The chunks that no list has, of those written `since`: what is older, an older list took."""
    taken = {chunk for manifest in recent for chunk in manifest.chunks}
    return [info.name for info in chunks if info.updated >= since and info.name not in taken][:MOST_CHUNKS]


def _load(manifest: Manifest, pipeline: str, what: str, state: Objects, warehouse: Warehouse) -> None:
    uris = [f"gs://{state.bucket}/{chunk}" for chunk in manifest.chunks]
    table = places.log_table(pipeline, what)
    warehouse.load(uris, table, _job_ids(pipeline, what, manifest.number))


def _job_ids(pipeline: str, what: str, number: int) -> Iterator[str]:
    return (f"dropforge-{what}-{pipeline}-{number:08d}-{attempt}" for attempt in range(1, ATTEMPTS + 1))


def _read(state: Objects, place: str) -> Manifest:
    found = load(state, place, Manifest)
    assert found is not None, f"{place} was listed, and manifests are never deleted"
    return found[0]
