"""The log of predictions by the day: each answer is in that on which it was given, however it was asked for."""

from datetime import UTC, datetime

from dropforge.contracts import logged
from dropforge.contracts.events import LoggedPrediction, PredictionsLogged
from dropforge.core.logged import days
from dropforge.core.logged.daily import answered_on
from dropforge.core.twins import MemoryObjects, MemoryTopics
from functions.record import steps as record


def moment(day: int, hour: int = 12, second: int = 0) -> datetime:
    """In June."""
    return datetime(2024, 6, day, hour, 59 if second else 0, second, tzinfo=UTC)


def answered(state: MemoryObjects, at: datetime, published: datetime, key: int | None = None) -> None:
    """One answer in the log, in a chunk that is named as `predict` names it."""
    name = logged.key_name({"id": key}) if key is not None else None
    partition = logged.partition_of_key(name) if name else logged.partition_of_time(at.timestamp())
    row = LoggedPrediction(
        id=logged.prediction_id(partition, f"{int(at.timestamp()):016x}", 0),
        at=at.isoformat(),
        version="1",
        candidate_id="c",
        key=name,
        instance={},
        answer={},
    )
    chunk = f"{int(1000 * published.timestamp()):013d}-{'a' * 12}"
    record.keep_predictions(PredictionsLogged(pipeline="shop", chunk=chunk, rows=[row]), state, MemoryTopics())


def test_a_day_has_what_was_answered_on_it_by_features_and_by_key() -> None:
    """Also what was answered in its last second and logged in the next day's first; and that is not counted twice."""
    state = MemoryObjects()
    answered(state, moment(1), moment(1))
    answered(state, moment(1), moment(1), key=1)
    answered(state, moment(1, 23, 59), moment(2, 0), key=2)
    answered(state, moment(1, 23, 59), moment(2, 0))
    answered(state, moment(2), moment(2), key=3)
    known = days.chunks(state, "shop")
    assert [answered_on(state, known, day).num_rows for day in ("20240601", "20240602", "20240603")] == [4, 1, 0]


def test_a_day_has_ended_a_quarter_of_an_hour_after_midnight() -> None:
    """What was answered before it needs some time to be logged."""
    state = MemoryObjects()
    for day in range(1, 11):
        answered(state, moment(day), moment(day))
    known = days.chunks(state, "shop")
    midnight = datetime(2024, 6, 10, tzinfo=UTC).timestamp()
    assert days.ended(known, midnight + 14 * 60)[-1] == "20240608"
    assert days.ended(known, midnight + 16 * 60) == [f"202406{day:02}" for day in range(3, 10)]
