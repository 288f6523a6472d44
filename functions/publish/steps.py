"""One candidate: judged, and published or refused, and said so; and a look at the canary that is under way."""

from dropforge.contracts import places
from dropforge.contracts.errors import NotFound
from dropforge.contracts.events import AlertRaised, ModelPublished, ModelRefused, ModelTrained
from dropforge.contracts.pipeline import Pipeline
from dropforge.contracts.verdicts import ModelVerdict
from dropforge.core import canary as canaries
from dropforge.core import candidates, history, lease, pipelines, verdicts
from dropforge.core.ports import Clock, Objects, Platform, Topics
from dropforge.ml import canary, publishing

# Above the function's own time-out, so that only a run that is dead is overtaken by another delivery.
LEASE_SECONDS = 600


def on_trained(
    event: ModelTrained, event_id: str, state: Objects, topics: Topics, platform: Platform, clock: Clock
) -> None:
    """Settle one candidate; a repeat ends in the same state and sends the same events.

    One publication of a pipeline at a time, so that none undeploys what another is about to publish; should a lease
    run out, the champion pointer still decides. Every event is also an occasion to look at the canary: the reconciler
    sends one for that alone.

    Raises:
        LeaseHeld: another publication of this pipeline runs.
        NotFound: the candidate is not there yet.
    """
    pipeline, _ = pipelines.load(state, event.pipeline)
    with lease.held(state, places.lease(event.pipeline, "publish"), event_id, LEASE_SECONDS, clock):
        candidate = candidates.find(state, event.pipeline, event.candidate_id)
        if candidate is None:
            raise NotFound(f"The candidate {event.candidate_id} of {event.pipeline} is not there (yet).")
        _look_at_canary(pipeline, state, topics, platform, clock)
        verdict = publishing.settle(pipeline, candidate, state, platform, clock)
        _say(verdict, state, topics)


def _look_at_canary(pipeline: Pipeline, state: Objects, topics: Topics, platform: Platform, clock: Clock) -> None:
    """Once it has ended: say so, and send on the candidates that waited for that."""
    name = pipeline.pipeline
    ended = canary.drive(pipeline, state, platform, clock)
    if ended is None or ended.baking or ended.told:
        return
    verdict = verdicts.known(state, name, ended.candidate_id)
    if verdict is not None and ended.status != "overtaken":
        _say(verdict, state, topics)
    for waiting in candidates.listed(state, name):
        if verdicts.known(state, name, waiting) is None:
            topics.publish(ModelTrained(pipeline=name, candidate_id=waiting))
    canaries.put(state, ended.model_copy(update={"told": True}), canaries.current(state, name)[1])


def _say(verdict: ModelVerdict, state: Objects, topics: Topics) -> None:
    name, candidate_id = verdict.pipeline, verdict.candidate_id
    served = history.publication(state, name, candidate_id)
    if served is not None:
        topics.publish(ModelPublished(pipeline=name, candidate_id=candidate_id, version=served.version))
        return
    if verdict.status == "published" or any(reason.code == "canary_runs" for reason in verdict.reasons):
        return  # a canary is under way, and its end will be said
    said = " ".join(reason.sentence for reason in verdict.reasons)
    became = "was refused" if verdict.status == "refused" else "is neither published nor refused"
    topics.publish(
        AlertRaised(
            pipeline=name,
            severity="warning",
            code=f"model_{verdict.status}",
            subject=candidate_id,
            sentence=f"The candidate {candidate_id} {became}. {said}",
        )
    )
    topics.publish(ModelRefused(pipeline=name, candidate_id=candidate_id, status=verdict.status))
