"""Events between functions: small Pub/Sub messages that carry ids, never data.

Two carry data, because it lies nowhere else before they arrive: what `predict` answered, and labels given by HTTP.
"""

import json
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from dropforge.contracts import logged
from dropforge.contracts.batch import Batch, Source
from dropforge.contracts.errors import EventInvalid


class Event(BaseModel):
    """One event. `topic` is the Pub/Sub topic, `schema_name` the versioned form of the message."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    topic: ClassVar[str]
    schema_name: ClassVar[str]
    pipeline: str

    def message(self) -> tuple[bytes, dict[str, str]]:
        """Data and attributes of the Pub/Sub message."""
        attributes = {"schema": self.schema_name, "pipeline": self.pipeline}
        return self.model_dump_json().encode(), attributes


class FileMissed(Event):
    """One generation of a dropped object was never taken in, and shall be now."""

    topic = "file-missed"
    schema_name = "file.missed/1"
    bucket: str
    name: str
    generation: int

    @property
    def source(self) -> Source:
        """The generation it is about."""
        return Source(bucket=self.bucket, name=self.name, generation=self.generation)


class BatchEvent(Event):
    """An event about one batch."""

    table: str
    batch_id: str

    @property
    def batch(self) -> Batch:
        """The batch it is about."""
        return Batch(pipeline=self.pipeline, table=self.table, batch_id=self.batch_id)


class BatchStaged(BatchEvent):
    """A batch was read and lies staged."""

    topic = "batch-staged"
    schema_name = "batch.staged/1"


class BatchAccepted(BatchEvent):
    """A batch passed validation, in whole or in part."""

    topic = "batch-accepted"
    schema_name = "batch.accepted/1"


class BatchQuarantined(BatchEvent):
    """A whole batch was refused."""

    topic = "batch-quarantined"
    schema_name = "batch.quarantined/1"


class ModelTrained(Event):
    """A candidate is ready to be judged."""

    topic = "model-trained"
    schema_name = "model.trained/1"
    candidate_id: str


class ModelPublished(Event):
    """A version now serves."""

    topic = "model-published"
    schema_name = "model.published/1"
    candidate_id: str
    version: str


class ModelRefused(Event):
    """A candidate was refused, or could not be decided on; the reasons lie in its verdict."""

    topic = "model-refused"
    schema_name = "model.refused/1"
    candidate_id: str
    status: Literal["refused", "undecided"] = "refused"


class TrainingRequested(Event):
    """A training is wanted whatever the pipeline's mode. A request of the same id is one request."""

    topic = "training-requested"
    schema_name = "training.requested/1"
    request_id: str
    asked_by: str
    because: str


class LoggedPrediction(BaseModel):
    """One answer to one instance, as `predict` gave it. `key` names the row's key, where the caller gave that."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    id: str
    at: str  # ISO 8601
    version: str
    candidate_id: str
    key: str | None
    instance: dict[str, Any]
    answer: dict[str, Any]


class PredictionsLogged(Event):
    """Answers of one process of `predict`, up to some thousand, of one pipeline. A `chunk` of one name is one chunk."""

    topic = logged.PREDICTIONS_TOPIC
    schema_name = logged.PREDICTIONS_SCHEMA
    chunk: str
    rows: list[LoggedPrediction]


class GivenLabel(BaseModel):
    """What came of one prediction, named by its id, or by the name of its row's key."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    id: str | None
    key: str | None
    label: bool | float | str  # by the task: whether, how much, or which class


class LabelsGiven(Event):
    """Labels that one HTTP request brought. A `chunk` of one name is one chunk."""

    topic = logged.LABELS_TOPIC
    schema_name = logged.LABELS_SCHEMA
    chunk: str
    at: str  # ISO 8601
    rows: list[GivenLabel]


class LabelsRecorded(Event):
    """A partition of a pipeline's predictions may have labels that were not held against them yet."""

    topic = "labels-recorded"
    schema_name = "labels.recorded/1"
    partition: str


class LogDayEnded(Event):
    """A UTC day, YYYYMMDD, on which predictions were answered is over."""

    topic = "log-day-ended"
    schema_name = "log.day.ended/1"
    day: str


class AlertRaised(Event):
    """A person should look, or no longer needs to. `subject` is what it is about, such as a file's URI or a candidate.

    Alerts of one `key` are one alert, of which a person is told once; without one, equal alerts are. `facts` are
    further lines for the reader, such as what was expected and what was seen.
    """

    topic = "alert-raised"
    schema_name = "alert.raised/1"
    severity: Literal["warning", "error"]
    code: str
    subject: str
    sentence: str
    status: Literal["raised", "resolved"] = "raised"
    key: str = ""
    facts: dict[str, str] = {}


EVENTS: dict[str, type[Event]] = {
    kind.schema_name: kind
    for kind in (
        FileMissed,
        BatchStaged,
        BatchAccepted,
        BatchQuarantined,
        ModelTrained,
        ModelPublished,
        ModelRefused,
        TrainingRequested,
        PredictionsLogged,
        LabelsGiven,
        LabelsRecorded,
        LogDayEnded,
        AlertRaised,
    )
}


def parse[E: Event](kind: type[E], data: bytes) -> E:
    """Read a message's data as an event of `kind`.

    Raises:
        EventInvalid: it is not JSON, or not of that form.
    """
    try:
        body: dict[str, Any] = json.loads(data)
        return kind.model_validate(body)
    except (ValueError, ValidationError) as error:
        raise EventInvalid(f"Expected a {kind.schema_name} message. Found {data[:200]!r}: {error}.") from error
