"""One candidate: judged, and published or refused, and said so."""

from dropforge.contracts import places
from dropforge.contracts.errors import NotFound
from dropforge.contracts.events import AlertRaised, ModelPublished, ModelRefused, ModelTrained
from dropforge.contracts.verdicts import ModelVerdict
from dropforge.core import candidates, history, lease, pipelines
from dropforge.core.ports import Clock, Objects, Platform, Topics
from dropforge.ml import publishing

# Above the function's own time-out, so that only a run that is dead is overtaken by another delivery.
LEASE_SECONDS = 600


def on_trained(
    event: ModelTrained, event_id: str, state: Objects, topics: Topics, platform: Platform, clock: Clock
) -> None:
    """Settle one candidate; a repeat ends in the same state and sends the same events.

    One publication of a pipeline at a time, so that none undeploys what another is about to publish; should a lease
    run out, the champion pointer still decides.

    Raises:
        LeaseHeld: another publication of this pipeline runs.
        NotFound: the candidate is not there yet.
    """
    pipeline, _ = pipelines.load(state, event.pipeline)
    with lease.held(state, places.lease(event.pipeline, "publish"), event_id, LEASE_SECONDS, clock):
        candidate = candidates.find(state, event.pipeline, event.candidate_id)
        if candidate is None:
            raise NotFound(f"The candidate {event.candidate_id} of {event.pipeline} is not there (yet).")
        verdict = publishing.settle(pipeline, candidate, state, platform, clock)
        _say(verdict, state, topics)


def _say(verdict: ModelVerdict, state: Objects, topics: Topics) -> None:
    name, candidate_id = verdict.pipeline, verdict.candidate_id
    served = history.publication(state, name, candidate_id)
    if served is not None:
        topics.publish(ModelPublished(pipeline=name, candidate_id=candidate_id, version=served.version))
        return
    said = " ".join(reason.sentence for reason in verdict.reasons)
    topics.publish(
        AlertRaised(
            pipeline=name,
            severity="warning",
            code="model_refused",
            subject=candidate_id,
            sentence=f"The candidate {candidate_id} was refused. {said}",
        )
    )
    topics.publish(ModelRefused(pipeline=name, candidate_id=candidate_id))
