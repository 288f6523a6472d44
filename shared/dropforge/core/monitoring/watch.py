"""The watch over a version: a test for each slice, alerts that are raised once, and resolved only on evidence.

An alert is raised when the test of a slice is convinced that it fell below its reference. It is resolved when the
mirror image of that test is convinced that the slice is back above the middle between the reference and what was seen.
So nothing flickers: between the two, what was said stands. That an alert is ever resolved while its slice is not back
has at most the chance that is asked of false alarms, for each alert by itself; for raising one, all tests share it.
"""

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict

from dropforge.contracts.monitoring import BatchScore, SliceScore
from dropforge.contracts.pipeline import Monitoring
from dropforge.core.monitoring import reference, sequential
from dropforge.core.monitoring.reference import Level
from dropforge.core.monitoring.sequential import Test

_MOST_NOTICES = 200  # kept, so that a repeated delivery says the same again


class Open(BaseModel):
    """An alert that is not resolved: what was expected, what was seen since when, and the test of its end."""

    model_config = ConfigDict(extra="forbid")
    key: str
    expected: float
    seen: float
    since: str
    recovery: Test


class Slice(BaseModel):
    """One slice: its level at publication, what it looked like then, its test, and the alert where one is open."""

    model_config = ConfigDict(extra="forbid")
    level: Level
    then: SliceScore
    test: Test
    open: Open | None = None


class Notice(BaseModel):
    """That an alert was raised or resolved, by a batch. `score` is what the slice looked like in it."""

    model_config = ConfigDict(extra="forbid")
    batch_id: str
    slice: str
    status: str
    version: str
    alert: Open
    then: SliceScore
    score: SliceScore
    others: list[str]  # slices of the same column that are alarmed too


class Watch(BaseModel):
    """The watch over one version of a pipeline."""

    model_config = ConfigDict(extra="forbid")
    pipeline: str
    candidate_id: str
    version: str
    served_since: str
    slices: dict[str, Slice]
    done: list[str] = []  # the batches that were taken in, under this version or one before
    notices: list[Notice] = []
    told: list[str] = []  # the batches whose notices were published, and what they ask for was done


def begin(first: BatchScore, holdout: Mapping[str, SliceScore], settings: Monitoring, before: Watch | None) -> Watch:
    """The watch over a version, with its first score; alerts that are open under the version before stay open."""
    slices = {}
    for name, score in holdout.items():
        if score.rows < settings.min_slice_rows or len(score.observations) < reference.LEAST:
            continue
        level = reference.of_observations([value for _, value in score.observations], settings.margin)
        slices[name] = Slice(level=level, then=score, test=sequential.begin(level.reference, rows=score.rows_each))
        earlier = before.slices.get(name) if before else None
        if earlier and earlier.open:
            slices[name].open = _under(earlier.open, level)
    kept = before.model_dump(include={"notices", "done", "told"}) if before else {}
    which = first.model_dump(include={"pipeline", "candidate_id", "version", "served_since"})
    return Watch(**which, slices=slices, **kept)


def take(watch: Watch, score: BatchScore, settings: Monitoring) -> Watch:
    """The watch after a batch; one that was taken in before, or that another version answered, changes nothing."""
    if score.batch_id in watch.done or score.candidate_id != watch.candidate_id:
        return watch
    limit = sequential.threshold(settings.false_alarms, len(watch.slices))
    enough = sequential.threshold(settings.false_alarms, 1)
    slices = dict(watch.slices)
    changed: list[tuple[str, str, Open]] = []
    for name, seen in score.slices.items():
        if name in slices:
            slices[name], said = _taken(slices[name], seen, limit, enough, f"{watch.pipeline}:{name}:{score.batch_id}")
            changed += [(name, status, alert) for status, alert in said]
    alarmed = [name for name, each in slices.items() if each.open]
    notices = [
        Notice(
            batch_id=score.batch_id,
            slice=name,
            status=status,
            version=watch.version,
            alert=alert,
            then=slices[name].then,
            score=score.slices[name],
            others=[other for other in alarmed if other != name and _column(other) == _column(name)],
        )
        for name, status, alert in changed
    ]
    kept = [*watch.notices, *notices][-_MOST_NOTICES:]
    return watch.model_copy(update={"slices": slices, "done": [*watch.done, score.batch_id], "notices": kept})


def _taken(
    one: Slice, score: SliceScore, limit: float, enough: float, key: str
) -> tuple[Slice, list[tuple[str, Open]]]:
    if one.open:
        recovery = sequential.observed(one.open.recovery, score.observations)
        alert = one.open.model_copy(update={"recovery": recovery})
        if recovery.evidence < enough:
            return one.model_copy(update={"open": alert}), []
        fresh = sequential.begin(one.level.reference, rows=one.test.rows)
        return one.model_copy(update={"open": None, "test": fresh}), [("resolved", alert)]
    test = sequential.observed(one.test, score.observations)
    if test.evidence < limit:
        return one.model_copy(update={"test": test}), []
    alert = Open(
        key=key,
        expected=one.level.level,
        seen=test.mean_since,
        since=test.since,
        recovery=_recovery(one.level.reference, test.mean_since, test.rows),
    )
    return one.model_copy(update={"open": alert, "test": test}), [("raised", alert)]


def _recovery(well: float, seen: float, rows: int) -> Test:
    return sequential.begin((well + seen) / 2, falling=False, rows=rows, soon=True)


def _under(alert: Open, level: Level) -> Open:
    """An open alert under a new version: it is held to what that expects of itself, where that is less."""
    well = min(alert.recovery.reference, (level.reference + alert.seen) / 2)
    return alert.model_copy(
        update={"recovery": sequential.begin(well, falling=False, rows=alert.recovery.rows, soon=True)}
    )


def _column(name: str) -> str:
    return name.partition("=")[0]
