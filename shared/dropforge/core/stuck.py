"""What came no further: an event was lost, or a step died for good. Found by holding what lies there to the ledger.

Of the flow's steps each leaves a trace: a staged record, a verdict, a training decision, a candidate, the judge's word.
Where one is there, is old enough, and the next one is not, the event between them is to be sent again.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from dropforge.contracts import places
from dropforge.contracts.batch import Batch, Source
from dropforge.contracts.errors import EventInvalid, PipelineInvalid
from dropforge.contracts.events import BatchAccepted, BatchStaged, Event, FileMissed, ModelTrained
from dropforge.contracts.pipeline import Pipeline
from dropforge.contracts.verdicts import ModelVerdict
from dropforge.core import canary, candidates, champion, decisions, history, lease, ledger, pipelines
from dropforge.core.ports import ObjectInfo, Objects
from dropforge.core.state import load


@dataclass(frozen=True)
class Stuck:
    """One thing that came no further. `again` is what sends it on; None where only a person can help."""

    pipeline: str
    key: str  # names it within its pipeline, the same whenever it is found
    subject: str
    sentence: str
    again: Event | None
    planned: bool = False  # it waited as it should, so there is nothing to tell


def find(name: str, landing: Objects, state: Objects, before: datetime) -> Iterator[Stuck]:
    """Everything of a pipeline that was where it is already `before` (with a time zone)."""
    try:
        pipeline, _ = pipelines.load(state, name)
    except PipelineInvalid as error:
        yield Stuck(name, "pipeline", f"gs://{state.bucket}/{places.pipeline_yaml(name)}", error.message, None)
        return
    staged = {_batch(info): info for info in state.list(f"batches/{name}/") if info.name.endswith("/staged.json")}
    lines = list(ledger.lines(state, name))
    judged = {line.batch for line in lines}
    yield from _files(pipeline, landing, staged.keys() | judged, before)
    yield from _batches(staged, judged, state, before)
    yield from _trainings(pipeline, lines, state, before)
    yield from _models(pipeline, state, before)


def _files(pipeline: Pipeline, landing: Objects, known: set[Batch], before: datetime) -> Iterator[Stuck]:
    for info in landing.list(f"{pipeline.pipeline}/"):
        if info.name.endswith("/") or not info.size or not _older(info.updated, before):
            continue
        source = Source(bucket=landing.bucket, name=info.name, generation=info.generation)
        try:
            batch = _destined(source, pipeline)
        except EventInvalid as error:
            yield Stuck(pipeline.pipeline, f"file-{source.batch_id}", source.uri, error.message, None)
            continue
        if batch not in known:
            said = f"{source.uri} (generation {source.generation}) was never taken in."
            missed = FileMissed(pipeline=pipeline.pipeline, **source.model_dump())
            yield Stuck(pipeline.pipeline, f"file-{batch.batch_id}", source.uri, said, missed)


def _destined(source: Source, pipeline: Pipeline) -> Batch:
    batch = Batch.of(source, {pipeline.pipeline: pipeline.table})
    if batch.table not in pipeline.tables:
        raise EventInvalid(f"{source.uri} is for the table {batch.table!r}, which the pipeline does not have.")
    return batch


def _batches(staged: dict[Batch, ObjectInfo], judged: set[Batch], state: Objects, before: datetime) -> Iterator[Stuck]:
    for batch, info in staged.items():
        if batch not in judged and _older(info.updated, before):
            said = f"The batch {batch.batch_id} of {batch.pipeline}/{batch.table} was read and has no verdict."
            subject = f"gs://{state.bucket}/{info.name}"
            yield Stuck(batch.pipeline, f"batch-{batch.batch_id}", subject, said, BatchStaged(**batch.model_dump()))


def _trainings(pipeline: Pipeline, lines: list[ledger.Line], state: Objects, before: datetime) -> Iterator[Stuck]:
    """One event is enough, for it is decided about all that was accepted; so for all that a cool-down held back."""
    used = {pipeline.table, *(join.table for join in pipeline.joins)}
    accepted = sorted(
        (line for line in lines if line.accepted and line.batch.table in used), key=lambda line: line.decided
    )
    if lease.holder_at(state, places.lease(pipeline.pipeline, "train"), before.timestamp()):
        return  # a training runs, perhaps for hours, as a job; its end, or its death, frees the lease
    decision = next(decisions.newest_first(state, pipeline.pipeline, 1), None)
    newest = candidates.newest(state, pipeline.pipeline)
    learned = {batch.batch_id for batch in newest.lineage.batches} if newest else set()
    considered = set(decision.batch_ids) if decision else set()
    unseen = [line for line in accepted if line.batch.batch_id not in considered | learned]
    late = [line for line in unseen if _older(line.decided, before)]
    if late:
        last = late[-1].batch
        said = f"The batch {last.batch_id} was accepted, and whether to train on it was never decided."
        again = BatchAccepted(**last.model_dump())
        yield Stuck(pipeline.pipeline, f"training-{last.batch_id}", late[-1].source.uri, said, again)
    elif decision and decision.train and not considered <= learned and accepted and _older(decision.at, before):
        said = f"A training was decided at {decision.at} ({decision.because}), and there is no model of it."
        again = BatchAccepted(**accepted[-1].batch.model_dump())
        yield Stuck(pipeline.pipeline, f"training-{decision.trigger}", decision.trigger, said, again)
    elif decision and decision.wait_until and not considered <= learned and _older(decision.wait_until, before):
        said = f"A training could begin at {decision.wait_until}, and nothing came since to start it."
        again = BatchAccepted(**accepted[-1].batch.model_dump())
        yield Stuck(pipeline.pipeline, f"training-{decision.trigger}", decision.trigger, said, again, planned=True)


def _models(pipeline: Pipeline, state: Objects, before: datetime) -> Iterator[Stuck]:
    name = pipeline.pipeline
    listed = {info.name: info for info in state.list(places.candidates(name))}
    made = [(place.split("/")[2], info) for place, info in listed.items() if place.endswith("/candidate.json")]
    _, generation = champion.current(state, name)
    baking = canary.running(state, name, generation)
    if baking is not None:
        said = f"The canary {baking.candidate_id} was last looked at {baking.looked}."
        again = ModelTrained(pipeline=name, candidate_id=baking.candidate_id)
        key = f"canary-{baking.candidate_id}-{baking.looked}"
        yield Stuck(name, key, baking.candidate_id, said, again, planned=True)
        return  # whatever else was trained waits for its end
    for candidate_id, info in made:
        if places.model_verdict(name, candidate_id) not in listed and _older(info.updated, before):
            yield _unsettled(name, candidate_id, "was trained and never judged.")
    newest = candidates.newest(state, name)
    verdict = load(state, places.model_verdict(name, newest.candidate_id), ModelVerdict) if newest else None
    if verdict and verdict[0].status == "published":
        candidate_id = verdict[0].candidate_id
        passed = listed.get(places.model_verdict(name, candidate_id))
        if passed and _older(passed.updated, before) and history.publication(state, name, candidate_id) is None:
            yield _unsettled(name, candidate_id, "passed the judge and never served.")


def _unsettled(pipeline: str, candidate_id: str, what: str) -> Stuck:
    again = ModelTrained(pipeline=pipeline, candidate_id=candidate_id)
    return Stuck(pipeline, f"model-{candidate_id}", candidate_id, f"The candidate {candidate_id} {what}", again)


def _batch(info: ObjectInfo) -> Batch:
    _, pipeline, table, batch_id, _ = info.name.split("/")
    return Batch(pipeline=pipeline, table=table, batch_id=batch_id)


def _older(stamp: str, before: datetime) -> bool:
    return datetime.fromisoformat(stamp) < before
