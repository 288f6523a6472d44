"""How soon one training may follow another: a cool-down, and a budget of trainings a day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from dropforge.contracts.pipeline import Training

_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Wait:
    """When the next training may begin, and why not before."""

    until: datetime
    because: str


def wait(training: Training, made: Sequence[datetime], now: datetime) -> Wait | None:
    """What stands in the way of a training now; None where nothing does. `made`: when each candidate was made.

    Every candidate counts, also one that a person asked for: it cost the same. A day is the last 24 hours.
    """
    waits = [_cool_down(training, made), _budget(training, made, now)]
    return max((each for each in waits if each and each.until > now), key=lambda each: each.until, default=None)


def _cool_down(training: Training, made: Sequence[datetime]) -> Wait | None:
    if not made or not training.cool_down_minutes:
        return None
    last = max(made)
    said = f"the last candidate was made at {_said(last)}, and {training.cool_down_minutes} minutes must pass"
    return Wait(last + timedelta(minutes=training.cool_down_minutes), said)


def _budget(training: Training, made: Sequence[datetime], now: datetime) -> Wait | None:
    spent = sorted(each for each in made if each > now - _DAY)
    if training.runs_per_day is None or len(spent) < training.runs_per_day:
        return None
    said = f"{len(spent)} candidates were made in the last 24 hours, and {training.runs_per_day} are allowed"
    return Wait(spent[-training.runs_per_day] + _DAY, said)


def _said(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")
