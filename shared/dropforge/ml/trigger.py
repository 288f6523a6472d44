"""From a decision to train to `model.trained`, one at a time; also the training that a person asks for."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

from dropforge.contracts import places
from dropforge.contracts.events import ModelTrained
from dropforge.contracts.models import Candidate, TrainedOn, TrainingDecision
from dropforge.contracts.pipeline import Pipeline
from dropforge.core import candidates, lease, ledger, pipelines
from dropforge.core.ports import Clock, Objects, Topics
from dropforge.core.state import create_once
from dropforge.ml import estimate, onward, training

# Above the time-out of the function that trains, so that only a run that is dead is overtaken by another.
_LEASE_SECONDS = 600


def on_request(
    name: str, request_id: str, asked_by: str, because: str, state: Objects, topics: Topics, clock: Clock
) -> Candidate:
    """Train now on everything accepted, whatever the pipeline's mode; returns the candidate, which is then judged.

    Raises:
        PipelineUnknown: no pipeline of this name is deployed.
        LeaseHeld: another training of this pipeline runs.
        NotEnoughData: the rows do not make a model yet.
    """
    pipeline, generation = pipelines.load(state, name)
    with lease.renewed(state, places.lease(name, "train"), request_id, clock):  # no time-out ends it, as in a function
        made = by_request(pipeline, request_id, because, state, clock)
        made = create_once(state, places.training_decision(name, request_id), made)
        return carry_out(made, pipeline, generation, state, topics, clock, asked_by)


def by_request(pipeline: Pipeline, request_id: str, because: str, state: Objects, clock: Clock) -> TrainingDecision:
    """The decision to train on everything accepted, for somebody wants it."""
    known = accepted(state, pipeline)
    rows = sum(line.rows_labelled for line in known)
    return decision(state, pipeline, request_id, clock, True, because, rows, known)


def is_known(decided: TrainingDecision, state: Objects) -> bool:
    """Whether the newest candidate knows all that a training would be on."""
    newest = candidates.newest(state, decided.pipeline)
    return newest is not None and {batch.batch_id for batch in newest.lineage.batches} >= set(decided.batch_ids)


@contextmanager
def only_one(pipeline: Pipeline, holder: str, state: Objects, clock: Clock) -> Iterator[int]:
    """At most one training of a pipeline at a time; yields the lease's token. Raises LeaseHeld.

    What a training writes has names of its own and is created once, so a holder that was overtaken does no harm and
    needs no fencing.
    """
    with lease.held(state, places.lease(pipeline.pipeline, "train"), holder, _LEASE_SECONDS, clock) as token:
        yield token


def carry_out(
    decided: TrainingDecision,
    pipeline: Pipeline,
    generation: int,
    state: Objects,
    topics: Topics,
    clock: Clock,
    asked_by: str,
) -> Candidate:
    """Train on the batches of a decision and say so; or return the newest candidate, where it already knows more."""
    newest = candidates.newest(state, pipeline.pipeline)
    if newest is not None and _knows_more(newest, decided):
        return newest
    candidate = candidate_of(decided, pipeline, generation, state, clock, asked_by)
    announce(candidate, topics)
    return candidate


def candidate_of(
    decided: TrainingDecision, pipeline: Pipeline, generation: int, state: Objects, clock: Clock, asked_by: str
) -> Candidate:
    """The candidate that the batches of a decision give, wherever this runs."""
    base = onward.base(pipeline, generation, decided.at, decided.batch_ids, state)
    recipe = training.Recipe(pipeline, generation, batches_of(state, pipeline, decided.batch_ids), base)
    return training.make(recipe, state, clock, asked_by, decided.because, decided.expected)


def announce(candidate: Candidate, topics: Topics) -> None:
    """Say that a candidate waits for the judge."""
    topics.publish(ModelTrained(pipeline=candidate.pipeline, candidate_id=candidate.candidate_id))


def accepted(state: Objects, pipeline: Pipeline) -> list[ledger.Line]:
    """Every batch of the tables in use of which rows may be trained on."""
    used = {pipeline.table, *(join.table for join in pipeline.joins)}
    return [line for line in ledger.lines(state, pipeline.pipeline) if line.accepted and line.batch.table in used]


def decision(
    state: Objects,
    pipeline: Pipeline,
    trigger: str,
    clock: Clock,
    train: bool,
    because: str,
    new_rows: int,
    known: Sequence[ledger.Line],
) -> TrainingDecision:
    """A decision made now about these batches, with what the training would take."""
    batch_ids = sorted(line.batch.batch_id for line in known)
    expected = estimate.expected(
        pipeline, batches_of(state, pipeline, batch_ids), candidates.newest(state, pipeline.pipeline)
    )
    return TrainingDecision(
        pipeline=pipeline.pipeline,
        trigger=trigger,
        at=datetime.fromtimestamp(clock.now(), UTC).isoformat(),
        train=train,
        because=because,
        new_rows=new_rows,
        batch_ids=batch_ids,
        expected=expected,
        job=estimate.beyond(pipeline, expected) if train else "",
    )


def batches_of(state: Objects, pipeline: Pipeline, batch_ids: Sequence[str]) -> list[TrainedOn]:
    """The accepted batches of these ids, as a training takes them."""
    wanted = set(batch_ids)
    return [
        TrainedOn(
            table=line.batch.table,
            batch_id=line.batch.batch_id,
            source=line.source,
            accepted_generation=line.accepted_generation,
            rows=line.rows_accepted,
        )
        for line in accepted(state, pipeline)
        if line.batch.batch_id in wanted and line.accepted_generation is not None
    ]


def _knows_more(newest: Candidate, decided: TrainingDecision) -> bool:
    known = {batch.batch_id for batch in newest.lineage.batches}
    return known > set(decided.batch_ids)
