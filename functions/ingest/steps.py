"""From one generation of a dropped object to a staged batch: its records as text, and what could not be read."""

import tempfile
from pathlib import Path

from dropforge.contracts import places
from dropforge.contracts.batch import Batch, Source
from dropforge.contracts.errors import AlreadyExists, EventInvalid, FileUnreadable, NotFound
from dropforge.contracts.events import AlertRaised, BatchStaged
from dropforge.contracts.loads import DROPPED_BY
from dropforge.contracts.pipeline import Pipeline
from dropforge.contracts.verdicts import Reason, Staged
from dropforge.core import pipelines, reading
from dropforge.core.ports import ObjectInfo, Objects, Topics
from dropforge.core.reading import Reading
from dropforge.core.state import create_once, load


def ingest(source: Source, landing: Objects, state: Objects, topics: Topics) -> Staged | None:
    """Stage the batch that `source` is, once, and say so, each time.

    A file that is no table is staged too, with its problem, so that validation gives the one verdict on every file.
    None is returned, and nothing staged, for a folder's placeholder, for an object of no bytes (some writers make the
    name first, and the content is another generation), and for a generation that is no longer there.

    Raises:
        EventInvalid: the object's name gives no deployed pipeline, or no table of it.
        PipelineInvalid: the pipeline.yaml deployed breaks its schema.
    """
    if source.name.endswith("/"):
        return None
    batch, pipeline, generation = _destination(source, state)
    found = load(state, places.staged_record(batch), Staged)
    staged = found[0] if found else _stage(source, batch, pipeline, generation, landing, state, topics)
    if staged is not None:
        topics.publish(BatchStaged(pipeline=batch.pipeline, table=batch.table, batch_id=batch.batch_id))
    return staged


def _destination(source: Source, state: Objects) -> tuple[Batch, Pipeline, int]:
    main_tables = dict.fromkeys(pipelines.deployed(state), "")
    wanted = source.name.partition("/")[0]
    if wanted not in main_tables:
        Batch.of(source, main_tables)  # raises, saying what is deployed
    pipeline, generation = pipelines.load(state, wanted)
    batch = Batch.of(source, {wanted: pipeline.table})
    if batch.table not in pipeline.tables:
        raise EventInvalid(
            f"{source.uri} is for the table {batch.table!r}, which the pipeline {wanted!r} does not have. "
            f"It has: {', '.join(pipeline.tables)}.",
            source=source.uri,
            pipeline=wanted,
        )
    return batch, pipeline, generation


def _stage(
    source: Source,
    batch: Batch,
    pipeline: Pipeline,
    generation: int,
    landing: Objects,
    state: Objects,
    topics: Topics,
) -> Staged | None:
    with tempfile.TemporaryDirectory(prefix="dropforge-ingest-") as scratch:
        folder = Path(scratch)
        dropped, rows, rejects = folder / "dropped", folder / "rows.parquet", folder / "rejects.parquet"
        try:
            info = landing.stat(source.name, source.generation)
            if info.size:
                landing.download(source.name, dropped, source.generation)
        except NotFound:
            topics.publish(_gone(source, batch, landing))
            return None
        if not info.size:
            topics.publish(_waiting(source, batch))
            return None
        found = reading.read(dropped, list(pipeline.tables[batch.table].columns), rows, rejects, folder)
        for path, place in ((rows, places.staged_rows(batch)), (rejects, places.staged_rejects(batch))):
            if path.exists():
                _create(state, place, path)
    return create_once(state, places.staged_record(batch), _record(source, batch, generation, info, found))


def _create(state: Objects, place: str, path: Path) -> None:
    try:
        state.create(place, path)
    except AlreadyExists:
        return  # an earlier delivery wrote the same and stopped before its record


def _record(source: Source, batch: Batch, generation: int, info: ObjectInfo, found: Reading) -> Staged:
    return Staged(
        batch=batch,
        source=source,
        size_bytes=info.size,
        format=found.format,
        compression=found.compression,
        encoding=found.encoding,
        dialect=found.dialect,
        columns=found.columns,
        rows=found.rows,
        rejected=found.rejected,
        problem=_reason(source, found.problem) if found.problem else None,
        content_sha256=found.content_sha256,
        pipeline_generation=generation,
        by=info.metadata.get(DROPPED_BY, ""),
    )


def _reason(source: Source, problem: FileUnreadable) -> Reason:
    return Reason(
        code=problem.fields["code"],
        subject=source.uri,
        observed=problem.fields["observed"],
        expected=problem.fields["expected"],
        sentence=problem.message,
    )


def _waiting(source: Source, batch: Batch) -> AlertRaised:
    return AlertRaised(
        pipeline=batch.pipeline,
        severity="warning",
        code="waiting_for_content",
        subject=source.uri,
        sentence=f"{source.uri} has no bytes. Nothing was read; it is taken in once it is written again with content.",
    )


def _gone(source: Source, batch: Batch, landing: Objects) -> AlertRaised:
    try:
        newer = landing.stat(source.name).generation
        what = f"was overwritten before it was read; generation {newer} takes its place as a batch of its own."
    except NotFound:
        what = "was deleted before it was read. Drop it again if it was meant to be taken in."
    return AlertRaised(
        pipeline=batch.pipeline,
        severity="warning",
        code="gone_before_read",
        subject=source.uri,
        sentence=f"{source.uri} (generation {source.generation}) {what}",
    )
