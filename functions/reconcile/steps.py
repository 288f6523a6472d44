"""What came no further is sent on its way again, with an alert at first and when it is given up."""

from datetime import datetime, timedelta

from pydantic import BaseModel

from dropforge.contracts.events import AlertRaised
from dropforge.contracts.verdicts import STORED
from dropforge.core import pipelines, stuck
from dropforge.core.ports import Objects, Topics
from dropforge.core.state import load
from dropforge.core.stuck import Stuck
from dropforge.gcp import logs

# The platform's own retries come first. Steps may be repeated, so what is merely slow takes no harm.
GRACE = timedelta(minutes=15)
ATTEMPTS = 5

log = logs.logger("reconcile")


class Redriven(BaseModel):
    """How often one stuck thing was sent on. Times are ISO 8601."""

    model_config = STORED
    attempts: int
    first: str
    last: str


def reconcile(landing: Objects, state: Objects, topics: Topics, at: datetime) -> list[Stuck]:
    """Send on what was stuck at the moment `at` (with a time zone), and say so; returns what was sent or told.

    Each thing is sent on at most `ATTEMPTS` times, and at most once for one moment, so that a repeat adds nothing.
    """
    return [
        found
        for pipeline in pipelines.deployed(state)
        for found in list(stuck.find(pipeline, landing, state, at - GRACE))
        if _send_on(found, state, topics, at)
    ]


def _send_on(found: Stuck, state: Objects, topics: Topics, at: datetime) -> bool:
    place = f"redrives/{found.pipeline}/{found.key}.json"
    known, generation = load(state, place, Redriven) or (None, 0)
    most = ATTEMPTS if found.again else 1
    attempts = known.attempts + 1 if known else 1
    if attempts > most or (known and known.last == at.isoformat()):
        return False
    if found.again:
        topics.publish(found.again)
    if attempts == most or (attempts == 1 and not found.planned):
        topics.publish(_alert(found, attempts, most))
    log.warning(found.sentence, extra={"fields": {"subject": found.subject, "attempt": attempts, "of": most}})
    record = Redriven(attempts=attempts, first=known.first if known else at.isoformat(), last=at.isoformat())
    state.replace(place, record.model_dump_json(indent=1).encode(), generation)
    return True


def _alert(found: Stuck, attempts: int, most: int) -> AlertRaised:
    given_up = attempts == most
    if found.again is None:
        what = "Only a person can help."
    elif given_up:
        what = f"It was sent on {most} times, now for the last time: look into the functions' logs."
    else:
        what = "It was sent on its way again."
    return AlertRaised(
        pipeline=found.pipeline,
        severity="error" if given_up else "warning",
        code="stuck" if given_up else "redriven",
        subject=found.subject,
        sentence=f"{found.sentence} {what}",
    )
