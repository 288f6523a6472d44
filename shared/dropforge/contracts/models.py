"""A candidate model, its lineage, and the champion that serves."""

from typing import Any, Literal

from pydantic import BaseModel

from dropforge.contracts.batch import Source
from dropforge.contracts.estimates import Cost
from dropforge.contracts.outcomes import Outcome, Task
from dropforge.contracts.verdicts import STORED

FieldType = Literal["integer", "number", "boolean", "category", "text", "timestamp", "date"]


# A release ends the hold that a rollback put on publishing; what serves stays.
Action = Literal["published", "rolled_back", "stopped", "released"]


class Field(BaseModel):
    """One input of a model, as a prediction request must give it."""

    model_config = STORED
    name: str
    type: FieldType
    required: bool
    unit: str | None = None
    min: float | None = None
    max: float | None = None
    allowed: list[str] | None = None


class TrainedOn(BaseModel):
    """One batch that a model was made from: the dropped file's generation and that of its accepted rows."""

    model_config = STORED
    table: str
    batch_id: str
    source: Source
    accepted_generation: int
    rows: int


class UpdatedFrom(BaseModel):
    """The candidate that new rows brought up to date; what it and a full training reached on the last of them."""

    model_config = STORED
    candidate_id: str
    artefact_sha256: str
    update: float
    full: float


class Lineage(BaseModel):
    """Everything a model came from; training from it again gives the same artefact."""

    model_config = STORED
    batches: list[TrainedOn]
    pipeline_generation: int
    train_until: str  # ISO 8601: training rows lie before, holdout rows at or after
    rows_train: int
    rows_holdout: int
    rows_share: float = 1.0  # of the main table's rows, chosen by a hash of the key: below 1 where they were too many
    updated_from: UpdatedFrom | None = None  # then `rows_train` are the new rows only
    window: str = "all"  # how far back the training rows go, in words
    windows_tried: dict[str, float] = {}  # window -> the pipeline's metric, mean over moments in the past
    seed: int
    code_version: str
    libraries: dict[str, str]
    asked_by: str
    because: str


class Personal(BaseModel):
    """The corrections of single entities: of which column, by which plan (empty: none were taken), and the mean of the
    pipeline's metric on later training rows that each plan reached beside the `common` model."""

    model_config = STORED
    per: str
    plan: str
    tried: dict[str, float]


class Candidate(BaseModel):
    """A trained model that waits for the judge. Its id is a hash of its inputs, so a repeat finds it."""

    model_config = STORED
    pipeline: str
    candidate_id: str
    artefact_sha256: str
    compiled_sha256: str | None = None  # of `predictor.json`; None where scikit-learn itself must serve
    compiled_because: str = ""  # why there is, or is no, compiled predictor
    task: Task = "binary"
    classes: list[str] = []  # of a multiclass model, in the order of its probabilities
    kind: str = "boosting"  # of `ml.recipes.RECIPES`
    tried: dict[str, float] = {}  # recipe -> the pipeline's metric, at the end of the training rows
    personal: Personal | None = None  # where `training.per` is set
    correction: dict[str, float] | None = None  # slope, shift of the log-odds; log loss before and after it
    signature: list[Field]
    metrics: dict[str, dict[str, float]]  # slice ("all", "origin=JFK") -> metric -> value on the holdout
    lineage: Lineage
    seconds: dict[str, float]  # step -> seconds it took
    expected: Cost | None = None  # what it was estimated to take before it began
    took: Cost | None = None
    created: str

    @property
    def outcome(self) -> Outcome:
        """What it predicts."""
        return Outcome(self.task, self.classes)


class TrainingDecision(BaseModel):
    """Why a trigger did, or did not, start a training. Made once for a trigger; a repeat of it finds this."""

    model_config = STORED
    pipeline: str
    trigger: str  # the event's id, or that of a request
    at: str
    train: bool
    because: str
    new_rows: int  # labelled rows that the newest candidate does not know
    batch_ids: list[str]  # what was accepted then; the training is on exactly these
    expected: Cost | None = None  # what the training would take
    job: str = ""  # why it runs as a job, where it does
    wait_until: str | None = None  # ISO 8601: rows are enough, but another training came too shortly before


class Champion(BaseModel):
    """The pointer to what serves."""

    model_config = STORED
    pipeline: str
    candidate_id: str
    version: str  # of the Vertex AI model
    model: str  # resource name
    endpoint: str  # resource name
    deployed_model_id: str
    artefact_sha256: str
    trained_until: str
    published: str
    published_by: str
    action: Action = "published"
    reason: str = ""
    replaced: str | None = None  # the candidate that served before
    held: bool = False  # set by a rollback or a stop: nothing is published over it until a person releases it


class HistoryEntry(BaseModel):
    """One change of what serves."""

    model_config = STORED
    at: str
    action: Action
    candidate_id: str
    version: str
    replaced: str | None
    by: str
    reason: str
    detail: dict[str, Any] = {}
