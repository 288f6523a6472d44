"""A batch that keeps every rule and is wrong all the same: recorded, or refused, by what earlier batches were like."""

from random import Random

import pytest

from dropforge.contracts import places
from dropforge.contracts.errors import PipelineInvalid
from dropforge.contracts.examination import Examination
from dropforge.contracts.pipeline import parse
from dropforge.contracts.profile import Profile
from tests.functions.drops import HEADER, PIPELINE, Shop

REFUSING = PIPELINE.replace(b"time: at", b"time: at\n    alarms: 1 in 100 clean batches\n    on_alarm: quarantine")


def _day(day: int, times: float = 1.0) -> str:
    """A day of 400 sales of 10 to 30 euros."""
    random = Random(day)
    rows = [
        (f"{day:02}{n:03}", f"2013-01-{day:02}T{n // 20:02}:00:00Z", random.gauss(20, 3) * times) for n in range(400)
    ]
    return HEADER + "".join(f"{key},{at},{amount:.2f},big,\n" for key, at, amount in rows)


@pytest.fixture
def busy(shop: Shop) -> Shop:
    """The shop after six usual days."""
    for day in range(1, 7):
        assert shop.drop(_day(day), f"shop/{day}.csv").warnings == []
    return shop


def test_another_unit_is_recorded_with_its_likely_cause(busy: Shop) -> None:
    """Cents for euros would be out of range; ten times as much is not, and no row rule can see it."""
    verdict = busy.drop(_day(7, times=10), "shop/7.csv")
    assert (verdict.status, verdict.rows_accepted) == ("accepted", 400)
    assert verdict.warnings[0].code == "probably_unit_change"
    assert verdict.warnings[0].sentence.startswith(
        "'amount': almost certainly 100% of its values came multiplied by 10."
    )
    assert (busy.alerts()[-1].severity, busy.alerts()[-1].code) == ("warning", "probably_unit_change")


def test_a_policy_quarantines_the_whole_batch_instead(busy: Shop) -> None:
    """Nothing of it is trained on, and the alert says why."""
    busy.deploy(REFUSING)
    verdict = busy.drop(_day(7, times=10), "shop/7.csv")
    assert (verdict.status, verdict.rows_accepted, verdict.rows_quarantined) == ("quarantined", 0, 400)
    assert verdict.reasons[0].code == "probably_unit_change"
    assert busy.alerts()[-1].severity == "error"
    assert busy.drop(_day(8), "shop/8.csv").status == "accepted"


def test_profile_and_examination_lie_beside_the_batch(busy: Shop) -> None:
    """Reports, trends and monitoring read them; history is made of them."""
    verdict = busy.drop(_day(7), "shop/7.csv")
    profile = Profile.model_validate_json(busy.state.read(places.profile(verdict.batch))[0])
    seen = Examination.model_validate_json(busy.state.read(places.examination(verdict.batch))[0])
    assert (profile.rows, profile.columns["amount"].readable) == (400, 400)
    assert (seen.judged, len(seen.compared_with), seen.anomalies) == (True, 6, [])


def test_refused_batches_are_no_history(busy: Shop) -> None:
    """Else three spoiled files would make a fourth look usual."""
    busy.deploy(REFUSING)
    for day in range(7, 12):
        assert busy.drop(_day(day, times=10), f"shop/{day}.csv").status == "quarantined"


def test_an_alarm_rate_is_read_strictly() -> None:
    """A rate that nobody can read must not become some default."""

    with pytest.raises(PipelineInvalid, match=r"tables\.sales\.alarms"):
        parse(REFUSING.replace(b"1 in 100 clean batches", b"rarely"))


def test_the_suggested_repair_makes_the_batch_usual_again(busy: Shop) -> None:
    """A suggestion that pipeline.yaml does not take, or that does not help, would be worse than none."""
    busy.deploy(REFUSING)
    reason = busy.drop(_day(7, times=10), "shop/7.csv").reasons[0]
    assert reason.expected == "amount: {repair: {times: 0.1, plus: 0}}"
    repaired = REFUSING.replace(b"unit: EUR,", b"unit: EUR, repair: {times: 0.1, plus: 0},")
    verdict = busy.deploy(repaired).drop(_day(7, times=10) + "7999,2013-01-07,200,big,\n", "shop/7.csv")
    assert (verdict.status, verdict.rows_accepted, verdict.warnings) == ("accepted", 401, [])
    assert busy.accepted(verdict)[-1]["amount"] == 20.0
