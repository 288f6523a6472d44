"""What a person has done with quarantined rows: have them judged again, or discard them."""

from datetime import UTC, datetime
from typing import Literal

from dropforge.contracts import places
from dropforge.contracts.batch import Batch
from dropforge.contracts.dispositions import Action, Disposition
from dropforge.contracts.errors import ActionRefused, NotFound
from dropforge.contracts.events import BatchStaged
from dropforge.contracts.pipeline import Table
from dropforge.contracts.verdicts import Replay, Staged
from dropforge.core import pipelines
from dropforge.core.ports import Clock, Objects, Topics
from dropforge.core.quarantine.held import Held, Link
from dropforge.core.state import create_once, load
from dropforge.core.validation.references import is_current


def judge_again(
    file: Held,
    action: Literal["replay", "release"],
    by: str,
    reason: str,
    state: Objects,
    topics: Topics,
    clock: Clock,
) -> Batch | None:
    """Have what is left of a file judged by the rules that are deployed now; returns the batch to await the verdict of.

    None when there is nothing to do: no row is left, or these rules have judged them already, so that twice gives the
    same as once. What an earlier call began, and did not bring to a verdict, is gone on with instead.

    A `release` sets aside the rules of the batch as a whole, such as the share of bad rows.

    Raises:
        ActionRefused: the rows were discarded, the file cannot be read at all, or a release would change nothing.
    """
    tip = file.tip
    if file.state == "settled":
        return None
    disposition = tip.disposition
    if disposition is None:
        pipeline, generation = pipelines.load(state, tip.line.batch.pipeline)
        if tip.line.batch.table not in pipeline.tables:
            raise ActionRefused(
                f"{file.origin.line.source.uri} is of the table {tip.line.batch.table!r}, which the pipeline "
                f"{pipeline.pipeline!r} has no longer. It has: {', '.join(pipeline.tables)}."
            )
        if _is_done(file, action, generation, pipeline.tables[tip.line.batch.table], state):
            return None
        disposition = _dispose(tip, action, by, reason, generation, state, clock)
    to = disposition.to
    if to is None:
        raise ActionRefused(
            f"{_what(file)} were discarded by {disposition.by} at {disposition.at}: {_why(disposition)}"
        )
    create_once(state, places.staged_record(to), _staged(file, disposition, to, state))
    topics.publish(BatchStaged(**to.model_dump()))
    return to


def discard(file: Held, by: str, reason: str, state: Objects, clock: Clock) -> Disposition:
    """Give up what is left of a file. The rows stay where they lie, and are never taken in.

    Raises:
        ActionRefused: no row is left, or they are being judged again.
    """
    if file.state == "settled":
        raise ActionRefused(f"Expected quarantined rows of {file.origin.line.source.uri}. Found none that are left.")
    tip = file.tip
    disposition = tip.disposition or _dispose(tip, "discard", by, reason, tip.line.pipeline_generation, state, clock)
    if disposition.to is not None:
        raise ActionRefused(
            f"{_what(file)} are being judged again, as {disposition.by} asked at {disposition.at}. Expected a verdict "
            f"on the batch {disposition.to.batch_id} first: `./deploy.sh quarantine replay` waits for it."
        )
    return disposition


def _is_done(file: Held, action: Action, generation: int, table: Table, state: Objects) -> bool:
    """Whether the present rules have judged these rows, by the values that referenced tables have now."""
    record = _record(file, state)
    if record.problem is not None:
        raise ActionRefused(
            f"The file itself could not be read: {record.problem.sentence} No rule changes that: drop it again, "
            "mended, and discard this one."
        )
    tip = file.tip
    if action == "replay":
        return tip.line.pipeline_generation == generation and is_current(tip.line.batch, table, state)
    found = load(state, places.staged_record(tip.line.batch), Staged)
    released = found is not None and found[0].replay is not None and found[0].replay.release
    if tip.line.status == "accepted_in_part" and not released:
        raise ActionRefused(
            f"{_what(file)} each break a rule of a row, which a release does not set aside: change the rules of "
            "the pipeline and replay them, or discard them."
        )
    return released


def _dispose(
    tip: Link, action: Action, by: str, reason: str, generation: int, state: Objects, clock: Clock
) -> Disposition:
    disposition = Disposition(
        batch=tip.line.batch,
        action=action,
        rows=tip.line.rows_quarantined,
        by=by,
        reason=reason,
        at=datetime.fromtimestamp(clock.now(), UTC).isoformat(),
        pipeline_generation=generation,
    )
    return create_once(state, places.disposition(tip.line.batch), disposition)


def _staged(file: Held, disposition: Disposition, to: Batch, state: Objects) -> Staged:
    record = _record(file, state)
    replay = Replay(
        of=disposition.batch.batch_id,
        origin=record.batch.batch_id,
        origin_rows=record.rows + record.rejected,
        accepted=[link.line.batch.batch_id for link in file.links if link.line.accepted],
        release=disposition.action == "release",
    )
    changed = {
        "batch": to,
        "rows": disposition.rows - record.rejected,  # what could not be parsed is in quarantine, always
        "pipeline_generation": disposition.pipeline_generation,
        "replay": replay,
        "by": disposition.by,
    }
    return record.model_copy(update=changed)


def _record(file: Held, state: Objects) -> Staged:
    batch = file.origin.line.batch
    found = load(state, places.staged_record(batch), Staged)
    if found is None:
        raise NotFound(f"The batch {batch.batch_id} has a verdict, but its staged record is gone.", batch=batch)
    return found[0]


def _what(file: Held) -> str:
    return f"The {file.tip.line.rows_quarantined:,} quarantined rows of {file.origin.line.source.uri}"


def _why(disposition: Disposition) -> str:
    return disposition.reason or "no reason was given."
