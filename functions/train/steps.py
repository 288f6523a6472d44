"""Whether an accepted batch, or a person, is reason enough to train, and the training if it is, here or in a job."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from dropforge.contracts import places
from dropforge.contracts.events import BatchAccepted, TrainingRequested
from dropforge.contracts.models import Candidate, TrainingDecision
from dropforge.contracts.pipeline import Pipeline
from dropforge.core import candidates, ledger, pipelines
from dropforge.core.ports import Clock, Jobs, Objects, Topics
from dropforge.core.state import create_once, load
from dropforge.ml import handover, pace, trigger


@dataclass(frozen=True)
class World:
    """What a training needs of it. `jobs` is asked for only where a training is too large for the function."""

    state: Objects
    topics: Topics
    clock: Clock
    jobs: Callable[[], Jobs]


def on_batch(event: BatchAccepted, event_id: str, world: World) -> None:
    """Decide, and train if that is the decision; either way it is recorded, and a repeat of the event keeps to it.

    Triggers that arrive while a training runs find its lease held and are delivered again. By then most of the rows
    that brought them are learned, and one more training takes the rest. A job may run for hours, so a trigger that
    meets one is decided to wait for its end, and the reconciler sends a batch again after that.

    Raises:
        LeaseHeld: another training of this pipeline runs.
        NotEnoughData: the rows do not make a model yet.
    """
    pipeline, generation = pipelines.load(world.state, event.pipeline)
    _settle(pipeline, generation, event_id, f"batch {event.batch_id}", lambda: decide(pipeline, event_id, world), world)


def on_request(event: TrainingRequested, world: World) -> None:
    """Train on everything accepted, whatever the mode. As `on_batch` otherwise."""
    pipeline, generation = pipelines.load(world.state, event.pipeline)

    def decided() -> TrainingDecision:
        return trigger.by_request(pipeline, event.request_id, event.because, world.state, world.clock)

    _settle(pipeline, generation, event.request_id, event.asked_by, decided, world)


def _settle(
    pipeline: Pipeline, generation: int, name: str, asked_by: str, make: Callable[[], TrainingDecision], world: World
) -> None:
    place = places.training_decision(pipeline.pipeline, name)
    decision = _recorded(world.state, place) or make()
    if not decision.train:
        create_once(world.state, place, decision)
        return
    job = handover.under_way(pipeline.pipeline, world.state, world.clock)
    if job is not None and job[0] == name:
        handover.ask(decision, generation, asked_by, world.jobs())
        return
    if job is not None and _recorded(world.state, place) is None:
        until = datetime.fromtimestamp(job[1], UTC)
        create_once(world.state, place, _waiting(decision, until, f"a job trains for {job[0]}"))
        return
    with trigger.only_one(pipeline, name, world.state, world.clock) as token:
        decision = create_once(world.state, place, _recorded(world.state, place) or make())
        if decision.job and not trigger.is_known(decision, world.state):
            handover.to_job(decision, generation, asked_by, token, world.state, world.jobs(), world.clock)
        elif decision.train:
            trigger.carry_out(decision, pipeline, generation, world.state, world.topics, world.clock, asked_by)


def decide(pipeline: Pipeline, event_id: str, world: World) -> TrainingDecision:
    """Train once enough labelled rows were accepted that the newest candidate does not know.

    Where they are enough too soon, the decision says until when to wait. Whatever is accepted after that moment starts
    the training, and if nothing comes, the reconciler sends the last batch again; either way one takes all that waited.
    """
    state, clock = world.state, world.clock
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
    decision = trigger.decision(state, pipeline, event_id, clock, train, because, new_rows, accepted)
    too_soon = _too_soon(pipeline, decision, world) if train else None
    return _waiting(decision, too_soon.until, too_soon.because) if too_soon else decision


def _too_soon(pipeline: Pipeline, decision: TrainingDecision, world: World) -> pace.Wait | None:
    now = datetime.fromtimestamp(world.clock.now(), UTC)
    seconds = decision.expected.seconds if decision.expected else 0.0
    return pace.wait(pipeline.training, candidates.made(world.state, pipeline.pipeline), now, seconds)


def _waiting(decision: TrainingDecision, until: datetime, because: str) -> TrainingDecision:
    """The decision to wait."""
    said = f"{decision.because} Not before {until.isoformat(timespec='seconds')}: {because}."
    return decision.model_copy(update={"train": False, "job": "", "because": said, "wait_until": until.isoformat()})


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
