"""From a candidate to a verdict and, if that is for it, to what serves."""

import io

import pyarrow as pa
import pyarrow.parquet as pq

from dropforge.contracts import places
from dropforge.contracts.canary import Canary
from dropforge.contracts.errors import ActionRefused, GenerationMismatch
from dropforge.contracts.models import Candidate, Champion
from dropforge.contracts.pipeline import Pipeline
from dropforge.contracts.verdicts import ModelVerdict, Reason
from dropforge.core import canary as canaries
from dropforge.core import candidates, champion, history, verdicts
from dropforge.core.ports import Clock, Deployed, Objects, Platform
from dropforge.ml import beside, canary, limits, rehearsal, stored
from dropforge.ml.crowning import crowned
from dropforge.ml.judge import judge
from dropforge.ml.judgement import Judgement
from dropforge.ml.rows import given_of

# How often a publication starts again because another one moved the champion meanwhile.
_ATTEMPTS = 5
JUDGE = "the judge"


def settle(pipeline: Pipeline, candidate: Candidate, state: Objects, platform: Platform, clock: Clock) -> ModelVerdict:
    """Judge a candidate and, if it passes, make it serve. May be repeated after a crash at any point.

    Each round compares with the champion of that moment: where another publication moves the pointer meanwhile, the
    candidate is judged again, against the new champion. A candidate that has served before is left as it is. Where the
    pipeline has canaries, one that passes becomes one, and `canary.drive` does the rest; while one is under way no
    other candidate is judged, and the verdict, which is not stored, is `undecided`.

    Raises:
        ServiceUnavailable, JobFailed: the platform did not do its part; nothing that serves was changed.
        GenerationMismatch: others moved the pointer again and again.
    """
    for _ in range(_ATTEMPTS):
        now, generation = champion.current(state, pipeline.pipeline)
        baking = canaries.running(state, pipeline.pipeline, generation)
        if baking and baking.candidate_id != candidate.candidate_id:
            return _waits(candidate, baking)
        verdict = _judged(pipeline, candidate, now, state)
        if baking:
            champion.follow(state, platform, pipeline.pipeline)
            return verdict
        if _has_served(candidate, now, state):
            champion.follow(state, platform, pipeline.pipeline)
            return verdict
        if verdict.status != "published":
            return verdict
        try:
            return _publish(pipeline, candidate, verdict, JUDGE, now, generation, state, platform, clock)
        except GenerationMismatch:
            continue
    raise GenerationMismatch(
        f"The champion of {pipeline.pipeline} moved {_ATTEMPTS} times while {candidate.candidate_id} was judged.",
        pipeline=pipeline.pipeline,
    )


def override(
    pipeline: Pipeline, candidate: Candidate, by: str, reason: str, state: Objects, platform: Platform, clock: Clock
) -> ModelVerdict:
    """Publish a candidate whatever the judge says of it, in the name of a person, who is recorded with the reason.

    It also ends a hold. What the judge says is recorded beside it; only a server that answers otherwise than in
    training still stands in the way.

    Raises:
        ActionRefused: the candidate has served before; roll back to it instead.
        GenerationMismatch: the champion moved at the same moment; look again before repeating.
    """
    now, generation = champion.current(state, pipeline.pipeline)
    if _has_served(candidate, now, state):
        raise ActionRefused(
            f"The candidate {candidate.candidate_id} has served before: roll back to its version instead.",
            pipeline=pipeline.pipeline,
        )
    judgement = compare(pipeline, candidate, now, state)
    said = f"{by} publishes it whatever the judge says: {reason}"
    judgement.note("overridden", candidate.candidate_id, by, None, said)
    judgement.passed = True
    verdict = verdicts.put(state, _verdict(candidate, judgement, now))
    return _publish(pipeline, candidate, verdict, by, now, generation, state, platform, clock)


def _publish(
    pipeline: Pipeline,
    candidate: Candidate,
    verdict: ModelVerdict,
    by: str,
    now: Champion | None,
    generation: int,
    state: Objects,
    platform: Platform,
    clock: Clock,
) -> ModelVerdict:
    """Deploy, rehearse, commit, follow; returns the verdict, which a failed rehearsal turns into a refusal.

    The commit is the champion pointer or, where the pipeline has canaries, the canary's state. What a person publishes
    by name is neither slowed by a canary nor held to limits. If it is the canary that is under way, it was rehearsed
    before that began and is not again, for by now no endpoint answers for it alone.
    """
    deployed = _deploy(candidate, state, platform)
    rows = holdout_rows(state, candidate)
    baking = canaries.running(state, candidate.pipeline, generation)
    if baking is None or baking.candidate_id != candidate.candidate_id:
        wrong = rehearsal.disagreement(candidate, deployed, rows, platform)
        if wrong is not None:
            return verdicts.put(state, verdicts.refused(verdict, wrong))
    if by == JUDGE:
        verdict = _timed(verdict, list(limits.slow(pipeline.deployment, candidate, deployed, now, rows, platform)))
        verdicts.put(state, verdict)
        if verdict.status == "refused":
            return verdict
    if by == JUDGE and now and canary.wanted(pipeline, candidate, now, state):
        canary.begin(pipeline, candidate, deployed, now, generation, by, state, clock)
    else:
        champion.crown(state, crowned(candidate, deployed, verdict, by, clock), generation)
    champion.follow(state, platform, candidate.pipeline)
    return verdict


def _timed(verdict: ModelVerdict, found: list[tuple[Reason, bool]]) -> ModelVerdict:
    """The verdict with what was found of the server's speed, in place of what an earlier run found."""
    before = [reason for reason in verdict.reasons if reason.code not in limits.CODES]
    status = "refused" if any(bad for _, bad in found) else verdict.status
    return verdict.model_copy(update={"reasons": [*before, *(reason for reason, _ in found)], "status": status})


def _judged(pipeline: Pipeline, candidate: Candidate, now: Champion | None, state: Objects) -> ModelVerdict:
    """The verdict on a candidate against the champion of this moment.

    A verdict that stands is kept: a refusal or a doubt for good, save for a hold that is over; a pass as long as the
    champion is still the one it was judged against.
    """
    known = verdicts.known(state, candidate.pipeline, candidate.candidate_id)
    if known is not None and _stands(known, candidate, now, state):
        return known
    return verdicts.put(state, _verdict(candidate, compare(pipeline, candidate, now, state), now))


def _stands(known: ModelVerdict, candidate: Candidate, now: Champion | None, state: Objects) -> bool:
    if known.status != "published":
        was_held = any(reason.code == "held" for reason in known.reasons)
        return not was_held or (now is not None and now.held)
    return _has_served(candidate, now, state) or known.champion_id == (now.candidate_id if now else None)


def _has_served(candidate: Candidate, now: Champion | None, state: Objects) -> bool:
    if now is not None and now.candidate_id == candidate.candidate_id:
        return True
    return history.publication(state, candidate.pipeline, candidate.candidate_id) is not None


def compare(pipeline: Pipeline, candidate: Candidate, now: Champion | None, state: Objects) -> Judgement:
    """Judge a candidate on its holdout rows, which are later than all that it and the champion were trained on."""
    judgement = Judgement()
    if now is not None and now.held:
        said = (
            f"Version {now.version} is held by {now.published_by} ({now.reason}); nothing replaces it until released."
        )
        judgement.refuse("held", candidate.candidate_id, now.version, "released", said)
    if now is not None and now.trained_until > candidate.lineage.train_until:
        said = (
            f"It knows the data until {candidate.lineage.train_until}, the champion until {now.trained_until}: part of "
            "its holdout rows are known to the champion, so they cannot be compared on them."
        )
        judgement.refuse("stale", candidate.candidate_id, candidate.lineage.train_until, now.trained_until, said)
    limits.judge_size(pipeline, candidate, state, judgement)
    if not judgement.passed:
        return judgement
    rows = holdout_rows(state, candidate)
    old = candidates.find(state, candidate.pipeline, now.candidate_id) if now else None
    slices = {name: int(values["rows"]) for name, values in old.metrics.items()} if old else {}
    theirs = stored.model(state, now) if now else None
    holdout = beside.holdout(rows, pipeline.slices, candidate, given_of(rows), theirs, slices)
    return judge(pipeline.success, pipeline.slices, holdout)


def _deploy(candidate: Candidate, state: Objects, platform: Platform) -> Deployed:
    folder = f"gs://{state.bucket}/{places.candidate(candidate.pipeline, candidate.candidate_id)}"
    digests = candidate.artefact_sha256, candidate.compiled_sha256
    model, version = platform.register(candidate.pipeline, candidate.candidate_id, folder, *digests)
    return platform.deploy(candidate.pipeline, model, version)


def holdout_rows(state: Objects, candidate: Candidate) -> pa.Table:
    """The rows that a candidate is judged on, with the probabilities that it gave in training."""
    content, _ = state.read(places.candidate(candidate.pipeline, candidate.candidate_id, "holdout.parquet"))
    return pq.read_table(io.BytesIO(content))


def _verdict(candidate: Candidate, judgement: Judgement, now: Champion | None) -> ModelVerdict:
    return ModelVerdict(
        pipeline=candidate.pipeline,
        candidate_id=candidate.candidate_id,
        status=judgement.status,
        reasons=judgement.reasons,
        comparisons=judgement.comparisons,
        champion_id=now.candidate_id if now else None,
    )


def _waits(candidate: Candidate, baking: Canary) -> ModelVerdict:
    said = (
        f"Version {baking.version} has been a canary since {baking.began}; this candidate is judged when that ends, "
        "against what serves then."
    )
    reason = Reason(
        code="canary_runs", subject=candidate.candidate_id, observed=baking.version, expected=None, sentence=said
    )
    return ModelVerdict(
        pipeline=candidate.pipeline,
        candidate_id=candidate.candidate_id,
        status="undecided",
        reasons=[reason],
        comparisons=[],
        champion_id=baking.champion_id,
    )
