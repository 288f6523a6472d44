"""How soon one training may follow another: a cool-down, and a budget of trainings and of their cost a day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from dropforge.contracts.pipeline import Training
from dropforge.core.candidates import Made

_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Wait:
    """When the next training may begin, and why not before."""

    until: datetime
    because: str


def wait(training: Training, made: Sequence[Made], now: datetime, expected_seconds: float = 0.0) -> Wait | None:
    """What stands in the way of a training now; None where nothing does. `made`: the candidates so far.

    Every candidate counts, also one that a person asked for: it cost the same. A day is the last 24 hours.
    """
    spent = sorted((each for each in made if each.at > now - _DAY), key=lambda each: each.at)
    waits = [_cool_down(training, made), _runs(training, spent), _cost(training, spent, expected_seconds)]
    return max((each for each in waits if each and each.until > now), key=lambda each: each.until, default=None)


def _cool_down(training: Training, made: Sequence[Made]) -> Wait | None:
    if not made or not training.cool_down_minutes:
        return None
    last = max(each.at for each in made)
    said = f"the last candidate was made at {_said(last)}, and {training.cool_down_minutes} minutes must pass"
    return Wait(last + timedelta(minutes=training.cool_down_minutes), said)


def _runs(training: Training, spent: Sequence[Made]) -> Wait | None:
    if training.runs_per_day is None or len(spent) < training.runs_per_day:
        return None
    said = f"{len(spent)} candidates were made in the last 24 hours, and {training.runs_per_day} are allowed"
    return Wait(spent[-training.runs_per_day].at + _DAY, said)


def _cost(training: Training, spent: Sequence[Made], expected_seconds: float) -> Wait | None:
    """Until enough of the day's trainings are a day old. One that is too dear by itself waits for all of them."""
    if training.cost_per_day is None:
        return None
    costs = [each.seconds / 3600 * training.price_per_hour for each in spent]
    its = expected_seconds / 3600 * training.price_per_hour
    left = sum(costs)
    for each, cost in zip(spent, costs, strict=True):
        if left + its <= training.cost_per_day:
            break
        left -= cost
        until = each.at + _DAY
    if not costs or left == sum(costs):
        return None
    said = (
        f"the trainings of the last 24 hours cost {sum(costs):.2f}, this one is expected to cost {its:.2f}, and "
        f"{training.cost_per_day:g} are allowed"
    )
    return Wait(until, said)


def _said(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")
