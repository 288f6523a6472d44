"""A labelled batch: scored, taken into the watch over the version that answered it, and what follows from an alarm."""

from collections.abc import Callable

from dropforge.contracts import monitoring, places
from dropforge.contracts.batch import Batch
from dropforge.contracts.errors import ActionRefused, NotFound
from dropforge.contracts.events import BatchAccepted, LabelsRecorded, LogDayEnded, TrainingRequested
from dropforge.contracts.examination import causes
from dropforge.contracts.monitoring import BatchScore
from dropforge.contracts.pipeline import Pipeline
from dropforge.contracts.verdicts import BatchVerdict
from dropforge.core import candidates, champion, ledger, pipelines, rollback
from dropforge.core.logged import tables
from dropforge.core.logged.join import join
from dropforge.core.logged.tables import Read
from dropforge.core.monitoring import watch, wording
from dropforge.core.monitoring.watch import Notice, Watch
from dropforge.core.ports import Clock, Objects, Platform, Topics
from dropforge.core.state import create_once, load
from dropforge.ml import drift, late_labels, live, prequential, publishing
from dropforge.ml.rows import given_of

BY = "monitor"


def on_batch(
    event: BatchAccepted, state: Objects, topics: Topics, platform: Callable[[], Platform], clock: Clock
) -> None:
    """Watch one accepted batch; a repeat ends in the same state and says the same.

    Raises:
        NotFound: the batch has no verdict (yet).
        GenerationMismatch: another batch was taken in at the same moment.
    """
    pipeline, _ = pipelines.load(state, event.pipeline)
    if event.table != pipeline.table:
        return
    if pipeline.monitoring.watches == "answers":
        late_labels.of_batch(pipeline, event, state, topics)
        return
    scored = _scored(pipeline, event, state)
    if scored is not None:
        _watch(pipeline, scored, state, topics, platform, clock)


def on_labels(
    event: LabelsRecorded,
    state: Objects,
    topics: Topics,
    platform: Callable[[], Platform],
    clock: Clock,
    read: Read = tables.read,
) -> None:
    """Watch what labels say of answers; a repeat ends in the same state and says the same.

    Where batches are watched, the same rows come as a batch too, and are scored here but not taken as evidence twice.

    Raises:
        GenerationMismatch: other labels were taken in at the same moment.
    """
    pipeline, _ = pipelines.load(state, event.pipeline)
    found = load(state, monitoring.watch(event.pipeline), Watch)
    done = set(found[0].done) if found else set()
    untold = {notice.batch_id for notice in found[0].notices} - set(found[0].told) if found else set()
    for number, part in join(state, event.pipeline, event.partition, read):
        name = f"{event.partition}-{number}"
        mine = {live.score_id(name, version) for version in part["version"].unique().to_pylist()}
        if mine <= done and not mine & untold:
            continue
        for scored in late_labels.scored(pipeline, name, part, state):
            if pipeline.monitoring.watches == "answers":
                _watch(pipeline, scored, state, topics, platform, clock)


def on_day(event: LogDayEnded, state: Objects, topics: Topics, clock: Clock, read: Read = tables.read) -> None:
    """Hold what was asked and answered on a day that is over against training; a repeat says the same."""
    pipeline, _ = pipelines.load(state, event.pipeline)
    drift.watch(pipeline, state, topics, clock, read)


def _watch(
    pipeline: Pipeline,
    scored: BatchScore,
    state: Objects,
    topics: Topics,
    platform: Callable[[], Platform],
    clock: Clock,
) -> None:
    notices = _taken(pipeline, scored, state)
    raised = [notice for notice in notices if notice.status == "raised"]
    did, undo = _act(pipeline, raised, state, topics, platform, clock) if raised else ("", "")
    if notices:
        cause = _diagnosis(pipeline, scored, state)
        for notice in notices:
            topics.publish(wording.alert(pipeline.pipeline, notice, pipeline.monitoring.metric, did, undo, cause))
        _mark_told(pipeline.pipeline, scored.batch_id, state)


def _diagnosis(pipeline: Pipeline, scored: BatchScore, state: Objects) -> str:
    """What probably happened to the batch's data, where it was a batch and its own examination found that."""
    batch = Batch(pipeline=pipeline.pipeline, table=pipeline.table, batch_id=scored.batch_id)
    found = load(state, places.batch_verdict(batch), BatchVerdict)
    found_causes = causes(found[0]) if found else []
    return found_causes[0].sentence if found_causes else ""


def _mark_told(pipeline: str, batch_id: str, state: Objects) -> None:
    """Write down that all was said and done; a death before means that it is said again, by the same keys."""
    found = load(state, monitoring.watch(pipeline), Watch)
    if found and batch_id not in found[0].told:
        marked = found[0].model_copy(update={"told": [*found[0].told, batch_id]})
        state.replace(monitoring.watch(pipeline), marked.model_dump_json().encode(), found[1])


def _scored(pipeline: Pipeline, event: BatchAccepted, state: Objects) -> BatchScore | None:
    place = monitoring.batch_score(event.pipeline, event.batch_id)
    known = load(state, place, BatchScore)
    if known:
        return known[0]
    line = ledger.find(state, event.pipeline, event.table, event.batch_id)
    found = prequential.of_batch(pipeline, line, state)
    return create_once(state, place, found) if found else None


def _taken(pipeline: Pipeline, score: BatchScore, state: Objects) -> list[Notice]:
    """Take the score into the watch, once; returns what this batch raised or resolved, until that was told."""
    place = monitoring.watch(pipeline.pipeline)
    before, generation = load(state, place, Watch) or (None, 0)
    if before is None or (before.candidate_id != score.candidate_id and before.served_since < score.served_since):
        after = watch.take(_begun(pipeline, score, before, state), score, pipeline.monitoring)
    else:
        after = watch.take(before, score, pipeline.monitoring)
    if after is not before:
        state.replace(place, after.model_dump_json().encode(), generation)
    untold = [] if score.batch_id in after.told else after.notices
    return [notice for notice in untold if notice.batch_id == score.batch_id]


def _begun(pipeline: Pipeline, score: BatchScore, before: Watch | None, state: Objects) -> Watch:
    candidate = candidates.find(state, pipeline.pipeline, score.candidate_id)
    if candidate is None:
        raise NotFound(f"The candidate {score.candidate_id} of {pipeline.pipeline} is not there.")
    rows = publishing.holdout_rows(state, candidate)
    holdout = prequential.of_rows(pipeline, rows, given_of(rows), candidate)
    return watch.begin(score, holdout, pipeline.monitoring, before)


def _act(
    pipeline: Pipeline,
    raised: list[Notice],
    state: Objects,
    topics: Topics,
    platform: Callable[[], Platform],
    clock: Clock,
) -> tuple[str, str]:
    """What the policy wants, done; returns it as a sentence, and the command that undoes it."""
    name, policy = pipeline.pipeline, pipeline.monitoring.on_accuracy_down
    because = f"{pipeline.monitoring.metric} went down in {', '.join(notice.slice for notice in raised)}"
    version = raised[0].version
    if policy == "retrain":
        topics.publish(
            TrainingRequested(pipeline=name, request_id=f"alert-{raised[0].batch_id}", asked_by=BY, because=because)
        )
        undo = f'./deploy.sh rollback {name} --to {version} --reason "the retrained model is not wanted"'
        return "A training was asked for; the judge decides whether its model serves.", undo
    if policy == "rollback":
        return _back(name, version, because, state, platform, clock)
    if policy == "stop":
        return _stopped(name, version, f"{because} with {raised[0].batch_id}", state, platform, clock)
    return "Nothing was changed.", "nothing to undo"


def _stopped(
    name: str, version: str, because: str, state: Objects, platform: Callable[[], Platform], clock: Clock
) -> tuple[str, str]:
    rollback.stop(name, version, BY, because, state, platform(), clock)
    now, _ = champion.current(state, name)
    if now is None or not now.held:
        return f"Nothing was changed: version {version} no longer serves, or was released since.", "nothing to undo"
    undo = f'./deploy.sh rollback {name} --release --reason "..."'
    return f"Version {now.version} serves on, and is held: no other is published until it is released.", undo


def _back(
    name: str, version: str, because: str, state: Objects, platform: Callable[[], Platform], clock: Clock
) -> tuple[str, str]:
    now, _ = champion.current(state, name)
    if now is not None and now.version == version and not now.held:
        try:
            now = rollback.rollback(name, BY, because, state, platform(), clock)
        except ActionRefused as error:
            return f"Nothing was changed: {error.message}", "nothing to undo"
    serves = now.version if now else "none"
    undo = f'./deploy.sh rollback {name} --to {version} --reason "..."'
    return f"Version {version} no longer serves; version {serves} does, and is held.", undo
