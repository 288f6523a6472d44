"""Drift of live inputs and of answers: each finished day of the log is held against the days of training.

Like is compared with like: how far days differ is learned from days, by the test that batches are held to
(`core.anomaly`), at the alarm rate of the main table. Inputs and answers are two tests, so each gets half of that rate.
A day is judged once, when it has ended; its alerts are those that were not open after the judged day before.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

import pyarrow as pa

from dropforge.contracts import drift
from dropforge.contracts.batch import Batch
from dropforge.contracts.drift import Day, Finding, Reference
from dropforge.contracts.events import AlertRaised
from dropforge.contracts.examination import Examination
from dropforge.contracts.models import Candidate
from dropforge.contracts.pipeline import Column, Pipeline
from dropforge.contracts.profile import Profile
from dropforge.core import dataset
from dropforge.core.anomaly import Earlier, examine
from dropforge.core.logged import days, tables
from dropforge.core.logged.daily import answered_on
from dropforge.core.logged.tables import Read
from dropforge.core.ports import Clock, Objects, Topics
from dropforge.core.state import create_once, load
from dropforge.ml import keyed, live, publishing
from dropforge.ml.live_profile import ANSWER, answer_of, answered, features, profile
from dropforge.ml.rows import given_of

_DAYS = 40  # of training, the newest, that are profiled
_NO_NEWS = ("rows", "repeated", "rejected", "distinct", "stray")  # they follow how many asked, and for which days


def watch(pipeline: Pipeline, state: Objects, topics: Topics, clock: Clock, read: Read = tables.read) -> None:
    """Judge each finished day that was not judged, the oldest first, and tell of what began or ended.

    Repeated, it judges nothing again, and tells only what was not told.
    """
    name = pipeline.pipeline
    known = [info.name.rpartition("/")[2].removesuffix(".json") for info in state.list(drift.day(name))]
    newest = max(known, default="")
    log = days.chunks(state, name)
    for day in days.ended(log, clock.now()):
        if day > newest:
            before = load(state, drift.day(name, newest), Day) if newest else None
            rows = answered_on(state, log, day, read)
            judged = _judge(pipeline, day, rows, before[0] if before else None, state)
            if judged is None:
                continue
            create_once(state, drift.day(name, day), judged)
            newest = day
        found = load(state, drift.day(name, day), Day)
        if found is not None:
            _tell(pipeline, found[0], state, topics)


def _judge(pipeline: Pipeline, day: str, rows: pa.Table, before: Day | None, state: Objects) -> Day | None:
    """The day, held against the reference; None where no version answered that ever served all requests."""
    counted = rows["version"].value_counts().to_pylist()
    if not counted:
        return None
    version = max(counted, key=lambda one: (one["counts"], one["values"]))["values"]
    served = live.served(state, pipeline.pipeline, version)
    if served is None:
        return None
    candidate = served[1]
    mine = rows.filter(pa.compute.equal(rows["version"], version)).to_pylist()
    seen = _examined(pipeline, candidate, day, mine, state)
    was = before.open if before else {}
    judged = any(one.judged for one in seen)
    now = _findings(seen, day, was) if judged else was
    return Day(
        pipeline=pipeline.pipeline,
        day=day,
        version=version,
        candidate_id=candidate.candidate_id,
        rows=len(mine),
        judged=judged,
        examinations=seen,
        open=now,
        ended={subject: found for subject, found in was.items() if subject not in now},
    )


def _examined(
    pipeline: Pipeline, candidate: Candidate, day: str, rows: Sequence[dict[str, Any]], state: Objects
) -> list[Examination]:
    """Of inputs and of answers; none where rows are fewer than make a slice worth watching."""
    if len(rows) < pipeline.monitoring.min_slice_rows:
        return []
    known = _reference(pipeline, candidate, state)
    columns, answers = features(pipeline), answered(candidate)
    instances = [json.loads(row["instance"]) for row in rows]
    asked = keyed.inputs(pipeline, instances, columns, state)
    told = [{ANSWER: answer_of(candidate, json.loads(row["answer"]))} for row in rows]
    seen = [_examine(pipeline, day, profile(pipeline, answers, told), known.answers, answers)]
    if len(asked) >= pipeline.monitoring.min_slice_rows:
        seen.append(_examine(pipeline, day, profile(pipeline, columns, asked), known.inputs, columns))
    return seen


def _examine(
    pipeline: Pipeline, day: str, seen: Profile, known: Mapping[str, Profile], columns: Mapping[str, Column]
) -> Examination:
    batch = Batch(pipeline=pipeline.pipeline, table=pipeline.table, batch_id=day)
    earlier = [Earlier(when, one) for when, one in known.items()]
    units = {name: column.unit for name, column in columns.items()}
    return examine(batch, seen, earlier, 2 * pipeline.main.one_in, units, _NO_NEWS)


def _findings(seen: Iterable[Examination], day: str, was: Mapping[str, Finding]) -> dict[str, Finding]:
    found = {}
    causes = {each.column: each.sentence for one in seen for each in one.diagnoses if each.column != ANSWER}
    # An answer follows from its inputs: no repair of it is a cause.
    causes[ANSWER] = next(iter(causes.values()), "No input moved by itself: look at how they go together.")
    for one in seen:
        for anomaly in (each for each in one.anomalies if each.column):
            since = was[anomaly.column].since if anomaly.column in was else day
            found[anomaly.column] = Finding(
                subject=anomaly.column,
                since=since,
                sentence=anomaly.sentence.replace("batches before", "days that it learned from"),
                cause=causes.get(anomaly.column, "The requests themselves changed."),
            )
    return found


def _reference(pipeline: Pipeline, candidate: Candidate, state: Objects) -> Reference:
    """The days of a candidate's rows, profiled once."""
    place = drift.reference(pipeline.pipeline, candidate.candidate_id)
    known = load(state, place, Reference)
    if known is not None:
        return known[0]
    since = datetime.fromisoformat(candidate.lineage.train_until) - timedelta(days=_DAYS)
    rows = dataset.read_rows(pipeline, candidate.lineage.batches, state, since=since)
    holdout = publishing.holdout_rows(state, candidate)
    given = [candidate.outcome.answer(each, 0.5) for each in given_of(holdout).tolist()]
    answers = pa.table(
        {
            str(pipeline.main.time): holdout[str(pipeline.main.time)],
            ANSWER: [answer_of(candidate, each) for each in given],
        }
    )
    made = Reference(
        candidate_id=candidate.candidate_id,
        inputs=_by_day(pipeline, features(pipeline), rows),
        answers=_by_day(pipeline, answered(candidate), answers),
    )
    return create_once(state, place, made)


def _by_day(pipeline: Pipeline, columns: Mapping[str, Column], rows: pa.Table) -> dict[str, Profile]:
    """A profile for each of the newest days that have rows enough."""
    time = str(pipeline.main.time)
    listed = rows.select(sorted({time, *columns})).sort_by(time).to_pylist()
    by_day = [(day, list(its)) for day, its in groupby(listed, key=lambda row: row[time].strftime("%Y%m%d"))]
    enough = [(day, its) for day, its in by_day if len(its) >= pipeline.monitoring.min_slice_rows]
    return {day: profile(pipeline, columns, its) for day, its in enough[-_DAYS:]}


def _tell(pipeline: Pipeline, judged: Day, state: Objects, topics: Topics) -> None:
    """Publish what began and ended with a day, unless that was done; a death in between says it again, by one key."""
    mark = drift.told(pipeline.pipeline, judged.day)
    if any(info.name == mark for info in state.list(mark)):
        return
    began = [found for found in judged.open.values() if found.since == judged.day]
    for status, some in (("raised", began), ("resolved", judged.ended.values())):
        for found in some:
            topics.publish(_alert(judged, found, status))
    state.replace(mark, b"", 0)


def _alert(judged: Day, found: Finding, status: str) -> AlertRaised:
    what = "answers" if found.subject == ANSWER else "requests"
    if status == "resolved":
        sentence = f"The {what} to {judged.pipeline} are as in training again in {found.subject!r}."
    else:
        sentence = f"The {what} to {judged.pipeline} are no longer as in training: {found.sentence} {found.cause}"
    return AlertRaised(
        pipeline=judged.pipeline,
        severity="warning",
        code="answers_drifted" if found.subject == ANSWER else "inputs_drifted",
        subject=found.subject,
        sentence=sentence,
        status="resolved" if status == "resolved" else "raised",
        key=f"{judged.pipeline}:drift:{found.subject}:{found.since}:{status}",
        facts={
            "pipeline": judged.pipeline,
            "column": found.subject,
            "version": judged.version,
            "seen": found.sentence,
            "since": found.since,
            "day": judged.day,
            "rows": f"{judged.rows:,}",
            "likely cause": found.cause,
            "done": "Nothing was changed.",
            "undo": "nothing to undo",
        },
    )
