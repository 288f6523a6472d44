"""One look at a time: each decides by the evidence of that moment whether a canary stays, goes on, or ends.

The order of its writes makes a crash between any two harmless. A failure is first the candidate's verdict, then the
canary's state, then the traffic; a success is first the champion pointer, which ends the canary by itself. Whoever
looks next finds what was written and does the rest.
"""

from datetime import UTC, datetime, timedelta

from dropforge.contracts.canary import Canary
from dropforge.contracts.models import Candidate, Champion
from dropforge.contracts.pipeline import Pipeline
from dropforge.contracts.verdicts import ModelVerdict, Reason
from dropforge.core import canary as canaries
from dropforge.core import candidates, champion, verdicts
from dropforge.core.ports import Clock, Deployed, Objects, Platform
from dropforge.ml.canary import evidence
from dropforge.ml.crowning import crowned


def wanted(pipeline: Pipeline, candidate: Candidate, now: Champion | None, state: Objects) -> bool:
    """Whether a candidate that passed has to be a canary first.

    Not where nothing serves yet. Nor where its inputs are not the champion's: callers send what the champion takes, and
    a share of them would be refused.
    """
    if now is None or not pipeline.deployment.canary:
        return False
    old = candidates.find(state, pipeline.pipeline, now.candidate_id)
    return old is not None and old.signature == candidate.signature


def begin(
    pipeline: Pipeline, candidate: Candidate, deployed: Deployed, now: Champion, generation: int, by: str,
    state: Objects, clock: Clock,
) -> None:  # fmt: skip
    """Make a deployed candidate the canary beside the champion pointer's `generation`.

    Raises:
        GenerationMismatch: another wrote the canary's state meanwhile.
    """
    at = _said(clock)
    started = Canary(
        pipeline=pipeline.pipeline,
        candidate_id=candidate.candidate_id,
        version=deployed.version,
        model=deployed.model,
        champion_id=now.candidate_id,
        champion_version=now.version,
        champion_generation=generation,
        shares=pipeline.deployment.canary,
        began=at,
        since=at,
        looked=at,
        by=by,
    )
    canaries.put(state, started, canaries.current(state, pipeline.pipeline)[1])


def drive(pipeline: Pipeline, state: Objects, platform: Platform, clock: Clock) -> Canary | None:
    """Look at the canary of a pipeline, and make traffic follow; returns it, or None once its end was announced.

    May be repeated at any time: before a step's time is up, a look can only find that the version fails.

    Raises:
        GenerationMismatch: the champion or the canary was moved by another at the same moment.
    """
    now, generation = champion.current(state, pipeline.pipeline)
    found, its_generation = canaries.current(state, pipeline.pipeline)
    if found is None or now is None or found.told:
        return None
    if found.baking and found.champion_generation == generation:
        _look(pipeline, found, its_generation, state, clock, platform)
    champion.follow(state, platform, pipeline.pipeline)
    return canaries.current(state, pipeline.pipeline)[0]


def _look(pipeline: Pipeline, found: Canary, generation: int, state: Objects, clock: Clock, platform: Platform) -> None:
    verdict = verdicts.known(state, pipeline.pipeline, found.candidate_id)
    candidate = candidates.find(state, pipeline.pipeline, found.candidate_id)
    if verdict is None or candidate is None:
        raise ValueError(f"The canary {found.candidate_id} of {pipeline.pipeline} has no verdict or is gone.")
    seen = evidence.gather(pipeline, candidate, found, state)
    if verdict.status != "refused" and seen.against:
        verdict = verdicts.put(state, verdicts.refused(verdict, *seen.against))
    looked = found.model_copy(update={"looked": _said(clock), "evidence": seen.reasons})
    if verdict.status == "refused":
        canaries.put(state, looked.model_copy(update={"status": "failed"}), generation)
    elif not _step_is_over(pipeline, found, seen.requests, clock):
        canaries.put(state, looked, generation)
    elif found.step + 1 < len(found.shares):
        further = {"step": found.step + 1, "since": _said(clock)}
        canaries.put(state, looked.model_copy(update=further), generation)
    else:
        canaries.put(state, looked, generation)
        _promote(looked, candidate, verdict, state, clock, platform)


def _promote(
    found: Canary, candidate: Candidate, verdict: ModelVerdict, state: Objects, clock: Clock, platform: Platform
) -> None:
    deployed = platform.deploy(found.pipeline, found.model, found.version)
    told = verdict.model_copy(update={"reasons": [*verdict.reasons, _baked(found)]})
    champion.crown(state, crowned(candidate, deployed, told, found.by, clock), found.champion_generation)


def _baked(found: Canary) -> Reason:
    shares = ", ".join(f"{share} %" for share in found.shares)
    said = f"As a canary since {found.began} it answered {shares} of the requests. "
    return Reason(
        code="canary_passed",
        subject=found.candidate_id,
        observed=found.began,
        expected=None,
        sentence=said + " ".join(reason.sentence for reason in found.evidence),
    )


def _step_is_over(pipeline: Pipeline, found: Canary, requests: int, clock: Clock) -> bool:
    rules = pipeline.deployment
    until = datetime.fromisoformat(found.since) + timedelta(minutes=rules.bake_minutes)
    return datetime.fromtimestamp(clock.now(), UTC) >= until and requests >= rules.min_requests


def _said(clock: Clock) -> str:
    return datetime.fromtimestamp(clock.now(), UTC).isoformat()
