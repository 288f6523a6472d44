"""Whether an accepted batch is reason enough to train, and the training if it is."""

from datetime import UTC, datetime

from dropforge.contracts import places
from dropforge.contracts.events import BatchAccepted
from dropforge.contracts.models import Candidate, TrainingDecision
from dropforge.contracts.pipeline import Pipeline
from dropforge.core import candidates, ledger, pipelines
from dropforge.core.ports import Clock, Objects, Topics
from dropforge.core.state import create_once, load
from dropforge.ml import pace, trigger


def on_batch(event: BatchAccepted, event_id: str, state: Objects, topics: Topics, clock: Clock) -> None:
    """Decide, and train if that is the decision; either way it is recorded, and a repeat of the event keeps to it.

    Triggers that arrive while a training runs find its lease held and are delivered again. By then most of the rows
    that brought them are learned, and one more training takes the rest.

    Raises:
        LeaseHeld: another training of this pipeline runs.
        NotEnoughData: the rows do not make a model yet.
    """
    pipeline, generation = pipelines.load(state, event.pipeline)
    place = places.training_decision(event.pipeline, event_id)
    decision = _recorded(state, place) or decide(pipeline, event_id, state, clock)
    if not decision.train:
        create_once(state, place, decision)
        return
    with trigger.only_one(pipeline, event_id, state, clock):
        decision = _recorded(state, place) or decide(pipeline, event_id, state, clock)
        create_once(state, place, decision)
        if decision.train:
            trigger.carry_out(decision, pipeline, generation, state, topics, clock, asked_by=f"batch {event.batch_id}")


def decide(pipeline: Pipeline, event_id: str, state: Objects, clock: Clock) -> TrainingDecision:
    """Train once enough labelled rows were accepted that the newest candidate does not know.

    Where they are enough too soon, the decision says until when to wait. Whatever is accepted after that moment starts
    the training, and if nothing comes, the reconciler sends the last batch again; either way one takes all that waited.
    """
    accepted = trigger.accepted(state, pipeline)
    newest = candidates.newest(state, pipeline.pipeline)
    new_rows = _new_rows(pipeline, accepted, newest)
    enough = new_rows >= pipeline.training.new_rows
    if pipeline.training.mode == "static":
        because = "This pipeline trains on request only (mode: static)."
    else:
        because = (
            f"{new_rows:,} labelled rows are new since {_name(newest)}; "
            f"{pipeline.training.new_rows:,} start a training."
        )
    train = enough and pipeline.training.mode == "dynamic"
    if train and (too_soon := _too_soon(pipeline, state, clock)):
        because = f"{because} Not before {too_soon.until.isoformat(timespec='seconds')}: {too_soon.because}."
        return trigger.decision(pipeline, event_id, clock, False, because, new_rows, accepted, too_soon.until)
    return trigger.decision(pipeline, event_id, clock, train, because, new_rows, accepted)


def _too_soon(pipeline: Pipeline, state: Objects, clock: Clock) -> pace.Wait | None:
    now = datetime.fromtimestamp(clock.now(), UTC)
    return pace.wait(pipeline.training, candidates.made(state, pipeline.pipeline), now)


def _new_rows(pipeline: Pipeline, accepted: list[ledger.Line], newest: Candidate | None) -> int:
    known = {(batch.batch_id, batch.accepted_generation) for batch in newest.lineage.batches} if newest else set()
    return sum(
        line.rows_labelled
        for line in accepted
        if line.batch.table == pipeline.table and (line.batch.batch_id, line.accepted_generation) not in known
    )


def _name(newest: Candidate | None) -> str:
    return f"candidate {newest.candidate_id}" if newest else "the beginning"


def _recorded(state: Objects, place: str) -> TrainingDecision | None:
    found = load(state, place, TrainingDecision)
    return found[0] if found else None
