"""From a staged batch to its verdict: good rows typed and loaded, bad rows quarantined with reasons."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import duckdb

from dropforge.contracts import places
from dropforge.contracts.batch import Batch
from dropforge.contracts.errors import AlreadyExists, NotFound
from dropforge.contracts.events import AlertRaised, BatchAccepted, BatchQuarantined
from dropforge.contracts.examination import Examination, causes
from dropforge.contracts.pipeline import Table
from dropforge.contracts.verdicts import BatchVerdict, Reason, Staged, Taken
from dropforge.core import anomaly, loads, pipelines, quarantine, report
from dropforge.core.ports import Objects, Topics, Warehouse
from dropforge.core.state import create_once, load
from dropforge.core.validation import Files, Judged, evolution, held_against, judge, referenced

LOAD_ATTEMPTS = 20  # as many as there are deliveries; each may use one more load job


def validate(batch: Batch, state: Objects, topics: Topics, warehouse: Warehouse) -> BatchVerdict:
    """Give the batch its verdict, once; load what belongs to it, and say so, each time.

    The rules are those of the pipeline.yaml that was deployed when the file was read. Rows are written first, then the
    verdict, which commits them; then it is said, for what follows reads the rows where they were written, and last they
    are loaded for analysts, under job ids that BigQuery runs once. A repeat after a stop anywhere gives the same.

    Raises:
        NotFound: the batch is not staged.
        JobFailed: BigQuery did not take the rows; the next delivery tries again.
    """
    found = load(state, places.batch_verdict(batch), BatchVerdict)
    verdict = found[0] if found else _judge(batch, state)
    _tell(verdict, topics)  # before the loads: nobody who hears it waits for BigQuery, and a failed load repeats both
    _load(verdict, state, warehouse)
    if uri := loads.write(verdict, state):
        warehouse.load(uri, places.LOADS_TABLE, _job_ids(batch, "load"))
    return verdict


def _judge(batch: Batch, state: Objects) -> BatchVerdict:
    found = load(state, places.staged_record(batch), Staged)
    if found is None:
        raise NotFound(f"The batch {batch.batch_id} of {batch.pipeline}/{batch.table} is not staged.", batch=batch)
    staged = found[0]
    pipeline, _ = pipelines.load(state, batch.pipeline, staged.pipeline_generation)
    table = pipeline.tables[batch.table].for_file(staged.source.name)
    label = pipeline.label.column if batch.table == pipeline.table else None
    with tempfile.TemporaryDirectory(prefix="dropforge-validate-") as scratch:
        files = quarantine.fetch(staged, state, Files.within(Path(scratch)))
        seen, unusual = _examined(staged, table, files, state)
        earlier = held_against(staged, state, files.scratch) if table.repeated_keys == "quarantine" else None
        known = referenced(staged, table, state, files.scratch)
        alarm = unusual if table.on_alarm == "quarantine" else ()
        arrived = _arrived(staged, state) if table.max_age_hours is not None else ""
        judged = judge(staged, table, label, files, alarm, earlier, known, arrived)
        if judged.rows_accepted and table.repeated_content == "skip":
            taken = _take(staged, state)
            if taken.batch.batch_id != _file_id(staged):
                return _committed(_skipped(staged, taken), state)
        accepted = _create(state, places.accepted_rows(batch), files.accepted) if judged.rows_accepted else None
        if judged.rows_quarantined:
            _create(state, places.quarantined_rows(batch), files.quarantined)
        grown = evolution.record(staged, table, judged.misfit, state) if judged.rows_accepted else []
        verdict = _verdict(staged, judged, accepted, [*unusual, *grown])
        report.write(verdict, seen, pipeline, files.accepted, files.scratch, state)
    return _committed(verdict, state)


def _examined(staged: Staged, table: Table, files: Files, state: Objects) -> tuple[Examination | None, list[Reason]]:
    """The batch against its history; that it cannot be profiled for want of memory is a warning, and no kill loop."""
    try:
        seen = anomaly.examined(staged, table, files.rows, files.scratch, state)
    except duckdb.OutOfMemoryException as error:
        return None, [
            Reason(
                code="not_examined",
                subject=staged.source.uri,
                observed=str(error).partition("\n")[0],
                expected="a batch that fits into memory",
                sentence="It was not held against earlier batches: to profile it needs more memory than there is.",
            )
        ]
    return seen, anomaly.warnings(seen, staged.source.uri)


def _arrived(staged: Staged, state: Objects) -> str:
    """When the dropped file was read: the same for every delivery, and for a replay of its rows."""
    file = staged.batch.model_copy(update={"batch_id": _file_id(staged)})
    return state.stat(places.staged_record(file)).updated


def _committed(verdict: BatchVerdict, state: Objects) -> BatchVerdict:
    return create_once(state, places.batch_verdict(verdict.batch), verdict, verdict.ledger_line())


def _take(staged: Staged, state: Objects) -> Taken:
    """The batch that has this content: the file's, unless another was first. Only what is accepted takes a content."""
    mine = Taken(batch=staged.batch.model_copy(update={"batch_id": _file_id(staged)}), source=staged.source)
    return create_once(state, places.taken_content(staged.batch, staged.content_sha256), mine)


def _file_id(staged: Staged) -> str:
    """The id of the batch that the dropped file is, which a replay of its rows is not."""
    return staged.replay.origin if staged.replay else staged.batch.batch_id


def _create(state: Objects, place: str, path: Path) -> int:
    try:
        return state.create(place, path)
    except AlreadyExists:  # an earlier delivery wrote the same and stopped before its verdict
        return state.stat(place).generation


def _verdict(staged: Staged, judged: Judged, accepted_generation: int | None, unusual: list[Reason]) -> BatchVerdict:
    partly = "accepted_in_part" if judged.rows_quarantined else "accepted"
    return BatchVerdict(
        batch=staged.batch,
        source=staged.source,
        status="quarantined" if judged.refusals else partly,
        rows_read=staged.rows + staged.rejected,
        rows_accepted=judged.rows_accepted,
        rows_quarantined=judged.rows_quarantined,
        rows_labelled=judged.rows_labelled,
        reasons=[*judged.refusals, *judged.breaches],
        warnings=unusual,
        pipeline_generation=staged.pipeline_generation,
        accepted_generation=accepted_generation,
        first_time=judged.first_time,
        last_time=judged.last_time,
        first_error=judged.first_error,
        replay=staged.replay,
    )


def _skipped(staged: Staged, taken: Taken) -> BatchVerdict:
    return BatchVerdict(
        batch=staged.batch,
        source=staged.source,
        status="skipped",
        rows_read=0,
        rows_accepted=0,
        rows_quarantined=0,
        rows_labelled=0,
        reasons=[
            Reason(
                code="repeated_content",
                subject=staged.source.uri,
                observed=taken.source.uri,
                expected="content that was not accepted before",
                sentence=(
                    f"It has the content of {taken.source.uri} (generation {taken.source.generation}), which was "
                    "accepted before, so it is not loaded again."
                ),
            )
        ],
        pipeline_generation=staged.pipeline_generation,
        replay=staged.replay,
    )


def _load(verdict: BatchVerdict, state: Objects, warehouse: Warehouse) -> None:
    batch = verdict.batch
    if verdict.rows_accepted:
        uri = f"gs://{state.bucket}/{places.accepted_rows(batch)}"
        warehouse.load(uri, places.rows_table(batch.pipeline, batch.table), _job_ids(batch, "accepted"))
    if verdict.rows_quarantined:
        uri = f"gs://{state.bucket}/{places.quarantined_rows(batch)}"
        warehouse.load(uri, places.QUARANTINE_TABLE, _job_ids(batch, "quarantined"))


def _job_ids(batch: Batch, what: str) -> Iterator[str]:
    return (places.load_job_id(batch, what, attempt) for attempt in range(1, LOAD_ATTEMPTS + 1))


def _tell(verdict: BatchVerdict, topics: Topics) -> None:
    batch = verdict.batch.model_dump()
    accepted = verdict.status in ("accepted", "accepted_in_part")
    became = "accepted" if accepted else verdict.status
    for why in verdict.warnings[:1] if accepted else verdict.reasons[:1]:
        topics.publish(
            AlertRaised(
                pipeline=verdict.batch.pipeline,
                severity="error" if verdict.status == "quarantined" else "warning",
                code=why.code,
                subject=verdict.source.uri,
                sentence=f"{verdict.source.uri} was {became}. {_said(why, verdict)}",
            )
        )
    if accepted:
        topics.publish(BatchAccepted(**batch))
    if verdict.status == "quarantined":
        topics.publish(BatchQuarantined(**batch))


def _said(why: Reason, verdict: BatchVerdict) -> str:
    """The reason and, where that is only a count of bad rows, what probably made them bad."""
    cause = next(iter(causes(verdict)), None)
    return why.sentence if cause is None or cause == why else f"{why.sentence} {cause.sentence}"
