"""Whether a day's live rows and answers were as in training, and where that is kept in the state bucket."""

from pydantic import BaseModel

from dropforge.contracts.examination import Examination
from dropforge.contracts.profile import Profile
from dropforge.contracts.verdicts import STORED


class Reference(BaseModel):
    """What a candidate learned from and what it answered, a profile for each day that has rows enough, in order.

    `inputs` are days of its training and holdout rows; `answers` those of its holdout, which it was not fitted on.
    """

    model_config = STORED
    candidate_id: str
    inputs: dict[str, Profile]  # day (YYYYMMDD) -> profile of the features
    answers: dict[str, Profile]


class Finding(BaseModel):
    """One feature, or the answers, that a day's live rows show changed."""

    model_config = STORED
    subject: str  # the column, or `answer`
    since: str  # the first day of it, YYYYMMDD
    sentence: str
    cause: str  # the diagnosis, as a sentence


class Day(BaseModel):
    """A finished UTC day of answers, held against the reference of the version that gave most of them.

    `open` are the alerts after it, by subject; `ended` those of the judged day before that this one closes. `judged` is
    false where there were too few rows, or too few days to know what is usual: then what was open stays open.
    """

    model_config = STORED
    pipeline: str
    day: str  # YYYYMMDD
    version: str
    candidate_id: str
    rows: int
    judged: bool
    examinations: list[Examination]
    open: dict[str, Finding]
    ended: dict[str, Finding]


def reference(pipeline: str, candidate_id: str) -> str:
    """JSON (`Reference`): written once."""
    return f"monitoring/{pipeline}/drift/references/{candidate_id}.json"


def day(pipeline: str, when: str = "") -> str:
    """JSON (`Day`): written once. Or the prefix of all."""
    return f"monitoring/{pipeline}/drift/days/" + (f"{when}.json" if when else "")


def told(pipeline: str, when: str) -> str:
    """Empty: that the alerts of a day were published."""
    return f"monitoring/{pipeline}/drift/told/{when}"


def ended(pipeline: str, when: str = "") -> str:
    """Empty: that it was published that a day of the log has ended. Or the prefix of all."""
    return f"monitoring/{pipeline}/drift/ended/{when}"
