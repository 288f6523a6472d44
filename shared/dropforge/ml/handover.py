"""A training that is too large for the function: handed to a job that runs the same code, lease and all.

The lease goes to the job before the job is asked for. So no other training begins in between, a crash there is made
good by the next delivery of the same event, and a job that never starts holds it for `START_SECONDS` and no longer; one
that runs renews it, so that its death is noticed within `lease.RENEWED_SECONDS`.
"""

from dropforge.contracts import places
from dropforge.contracts.errors import LeaseHeld, NotFound
from dropforge.contracts.models import Candidate, TrainingDecision
from dropforge.core import lease, pipelines
from dropforge.core.ports import Clock, Jobs, Objects, Topics
from dropforge.core.state import load
from dropforge.ml import trigger

START_SECONDS = 1800.0  # for a machine to be found and started, and the image to be fetched
_JOB = "job-"


def to_job(decided: TrainingDecision, generation: int, asked_by: str, token: int, state: Objects, jobs: Jobs,
           clock: Clock) -> None:  # fmt: skip
    """Give the lease to the job of a decision, and ask for the job.

    Raises:
        LeaseHeld: another took the lease meanwhile.
    """
    name = places.lease(decided.pipeline, "train")
    lease.hand_over(state, name, _JOB + decided.trigger, START_SECONDS, token, clock)
    ask(decided, generation, asked_by, jobs)


def ask(decided: TrainingDecision, generation: int, asked_by: str, jobs: Jobs) -> None:
    """Ask for the job of a decision; one that runs already, or is done, is enough."""
    given = [decided.pipeline, decided.trigger, str(generation), asked_by]
    jobs.ensure(f"dropforge-{decided.pipeline}-{decided.trigger}", given)


def under_way(pipeline: str, state: Objects, clock: Clock) -> tuple[str, float] | None:
    """The trigger whose job holds the lease, and until when (seconds since the epoch)."""
    found = lease.holder(state, places.lease(pipeline, "train"), clock)
    return (found[0].removeprefix(_JOB), found[1]) if found and found[0].startswith(_JOB) else None


def in_job(
    pipeline: str, trigger_id: str, generation: int, asked_by: str, state: Objects, topics: Topics, clock: Clock
) -> Candidate:
    """What the job does: the training of a decision, as the function would have done it.

    Raises:
        NotFound: there is no such decision.
        LeaseHeld: the lease was lost; another training may have begun, so this one announces nothing.
    """
    decided = load(state, places.training_decision(pipeline, trigger_id), TrainingDecision)
    if decided is None:
        raise NotFound(f"The decision {trigger_id} of {pipeline} is not there.", pipeline=pipeline)
    found, _ = pipelines.load(state, pipeline, generation)
    with lease.renewed(state, places.lease(pipeline, "train"), _JOB + trigger_id, clock) as kept:
        candidate = trigger.candidate_of(decided[0], found, generation, state, clock, asked_by)
        if kept.lost:
            raise LeaseHeld(f"The training of {pipeline} for {trigger_id} was overtaken.", pipeline=pipeline)
        trigger.announce(candidate, topics)
    return candidate
