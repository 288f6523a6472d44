"""Live requests and answers against training, by the log that `record` writes: told of once, and until it is over."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from dropforge.contracts import drift, places
from dropforge.contracts.drift import Day
from dropforge.contracts.events import AlertRaised, LogDayEnded, LoggedPrediction, PredictionsLogged
from functions.monitor import steps
from functions.record import steps as record
from tests.functions.monitor.live import answers
from tests.ml.crash import Crash, Fuse, Mortal, every_crash
from tests.ml.published import settle, train
from tests.ml.shop import Shop, visits

FIRST = datetime(2024, 6, 1, tzinfo=UTC)
Change = Callable[[pa.Table], pa.Table]


@pytest.fixture(scope="module")
def serving() -> Shop:
    """A shop with a model that serves, whose training days of 48 rows are profiled, and a day that was as they were."""
    shop = Shop()
    assert settle(shop, train(shop, "a.csv", rows=3000, noise=0.3)).status == "published"
    text, generation = shop.state.read(places.pipeline_yaml("shop"))
    shop.state.replace(places.pipeline_yaml("shop"), text + b"\nmonitoring: {min_slice_rows: 40}\n", generation)
    lived(shop, 0)
    told_of_day(shop)
    return shop


@pytest.fixture
def shop(serving: Shop) -> Shop:
    """A copy of it to spoil."""
    return serving.copy()


def lived(shop: Shop, number: int, change: Change | None = None, rows: int = 200, keys: bool = False) -> None:
    """A day on which callers ask, in the log; its labels, if they come at all, come later."""
    table = visits(rows, 5000 + number * rows, 0.3)
    told = answers(shop, change(table) if change else table, f"{number}", keys)
    logged_on(shop, number, told.rows)


def logged_on(shop: Shop, number: int, rows: list[LoggedPrediction]) -> None:
    """The answers of a day, in the log, and the day over."""
    day = FIRST + timedelta(days=number)
    moved = [
        row.model_copy(update={"id": row.id if row.key else f"{day:%Y%m%d%H}{row.id[10:]}", "at": day.isoformat()})
        for row in rows
    ]
    chunk = f"{1000 * int(day.timestamp()):013d}-{number:012x}"
    event = PredictionsLogged(pipeline="shop", chunk=chunk, rows=moved)
    record.keep_predictions(event, shop.state, shop.topics)
    shop.clock.seconds = (day + timedelta(days=1, hours=1)).timestamp()


def told_of_day(shop: Shop, fuse: Fuse | None = None) -> None:
    """One delivery of log-day-ended."""
    fuse = fuse or Fuse()
    event = LogDayEnded(pipeline="shop", day="20240601")
    steps.on_day(event, Mortal(shop.state, fuse), Mortal(shop.topics, fuse), shop.clock)


def alerts(shop: Shop) -> list[AlertRaised]:
    """Every alert, as often as it was published."""
    return [event for event in shop.topics.published if isinstance(event, AlertRaised)]


def in_cents(rows: pa.Table) -> pa.Table:
    """The caller gives pages by the hundred."""
    return rows.set_column(rows.column_names.index("pages"), "pages", pc.multiply(rows["pages"], 100.0))


def test_requests_like_those_of_training_raise_nothing(shop: Shop) -> None:
    """Each is judged once, and none of six is an alarm; asked for is one in a hundred."""
    for number in range(1, 6):
        lived(shop, number)
        told_of_day(shop)
    days = [Day.model_validate_json(shop.state.read(info.name)[0]) for info in shop.state.list(drift.day("shop"))]
    assert [day.judged for day in days] == [True] * 6
    assert all(len(day.examinations) == 2 and all(one.judged for one in day.examinations) for day in days)
    assert alerts(shop) == []


def test_a_caller_who_changes_a_unit_is_told_of_once_with_the_cause_and_it_resolves(shop: Shop) -> None:
    """No label says it, for none came; the diagnosis says what to look at."""
    for number, change in enumerate([in_cents, in_cents, None], 1):
        lived(shop, number, change)
        told_of_day(shop)
        told_of_day(shop)
    mine = [alert for alert in alerts(shop) if alert.subject == "pages"]
    assert [(alert.code, alert.status) for alert in mine] == [
        ("inputs_drifted", "raised"),
        ("inputs_drifted", "resolved"),
    ]
    assert mine[0].facts["since"] == "20240602"
    assert "100" in mine[0].facts["likely cause"]


def test_requests_with_keys_are_looked_at_too(shop: Shop) -> None:
    """They lie by key, so that labels find them; the change in them is no less a change."""
    lived(shop, 1, in_cents, keys=True)
    told_of_day(shop)
    assert ("inputs_drifted", "pages") in {(alert.code, alert.subject) for alert in alerts(shop)}


def test_what_was_asked_by_key_has_the_features_of_its_row(shop: Shop) -> None:
    """A caller of a table of answers gives no features; what they were, the accepted rows say."""
    text, generation = shop.state.read(places.pipeline_yaml("shop"))
    shop.state.replace(places.pipeline_yaml("shop"), text + b"serving: {mode: hybrid, key: [id]}\n", generation)
    table = in_cents(visits(200, shop.rows, 0.3))
    shop.land("b.csv", rows=200, noise=0.3, change=in_cents)
    told = answers(shop, table, "1", keys=True).rows
    keys = [
        row.model_copy(update={"instance": {"id": number}})
        for row, number in zip(told, table["id"].to_pylist(), strict=True)
    ]
    logged_on(shop, 1, keys)
    told_of_day(shop)
    assert ("inputs_drifted", "pages") in {(alert.code, alert.subject) for alert in alerts(shop)}


def test_answers_that_move_are_told_of_beside_the_inputs(shop: Shop) -> None:
    """Visitors who look at many pages are all said to buy."""
    lived(shop, 1, in_cents)
    told_of_day(shop)
    assert {(alert.code, alert.subject) for alert in alerts(shop)} >= {("answers_drifted", "answer")}


def test_a_day_that_has_not_ended_and_one_with_too_few_rows_are_not_judged(shop: Shop) -> None:
    """The first is judged later; the second says nothing, and leaves open what was open."""
    lived(shop, 1, in_cents, rows=30)
    told_of_day(shop)
    _, info = shop.state.list(drift.day("shop"))
    assert not Day.model_validate_json(shop.state.read(info.name)[0]).judged
    lived(shop, 2, in_cents)
    shop.clock.seconds = (FIRST + timedelta(days=2, hours=20)).timestamp()
    told_of_day(shop)
    assert len(list(shop.state.list(drift.day("shop")))) == 2
    assert alerts(shop) == []


@pytest.mark.heavy
def test_a_death_anywhere_changes_nothing(shop: Shop) -> None:
    """Between the profile of training, the day, its alerts, and the mark that they were told."""
    lived(shop, 1, in_cents)
    calm = shop.copy()
    told_of_day(calm)
    expected = {alert.key: alert for alert in alerts(calm)}
    assert expected
    for fuse in every_crash(lambda fuse: told_of_day(shop.copy(), fuse)):
        hurt = shop.copy()
        with pytest.raises(Crash):
            told_of_day(hurt, fuse)
        told_of_day(hurt)
        assert {alert.key: alert for alert in alerts(hurt)} == expected
