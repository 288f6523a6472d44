"""Verdicts: what was decided of a batch or a model, with reasons that a machine and a person can read."""

from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, model_validator

from dropforge.contracts.batch import FROZEN, Batch, Source

STORED = ConfigDict(frozen=True, extra="forbid")


class Reason(BaseModel):
    """Why. `code` is stable and for machines; `sentence` says the same to a person."""

    model_config = STORED
    code: str
    subject: str
    observed: Any
    expected: Any
    sentence: str


class Replay(BaseModel):
    """That a batch is quarantined rows of another, judged again. Batch ids are of the same pipeline and table.

    `of` is the batch whose quarantined rows these are, `origin` the one that the file was read as: the same, unless
    `of` is a replay itself. `accepted` are those of the file's batches of which rows were accepted before. A `release`
    sets aside the rules of a batch as a whole, never those of a row.
    """

    model_config = STORED
    of: str
    origin: str
    origin_rows: int
    accepted: list[str]
    release: bool = False


class Staged(BaseModel):
    """What ingest found in a file. `rejected` counts the lines that could not be parsed; they lie in the rejects."""

    model_config = STORED
    batch: Batch
    source: Source
    size_bytes: int
    format: str
    compression: str
    encoding: str
    dialect: dict[str, str | int | float | bool] = {}  # how a text file was read, and how sure that was
    columns: list[str]
    rows: int
    rejected: int
    problem: Reason | None = None  # the file as a whole cannot be read; validate quarantines it
    content_sha256: str  # of the decompressed content
    pipeline_generation: int  # the rules it is judged by, whenever that happens
    replay: Replay | None = None  # its rows are not staged again: they are those of the origin that lie quarantined
    by: str = ""  # who dropped the file, or asked for the replay, where that is known


class Taken(BaseModel):
    """Which batch a content was accepted as; written once, by the first."""

    model_config = STORED
    batch: Batch
    source: Source


class Before(BaseModel):
    """Accepted rows of a file that landed before another; times as in its verdict."""

    model_config = STORED
    batch_id: str
    source: Source
    accepted_generation: int
    first_time: str | None = None
    last_time: str | None = None


class HeldAgainst(BaseModel):
    """Whose keys a batch must not repeat, oldest first, as it was when the batch was first judged."""

    model_config = STORED
    batches: list[Before]


class RowError(BaseModel):
    """The first row of a file, by its place in it, that did not pass. `line` and `column` are None where unknown."""

    model_config = STORED
    code: str
    row: int
    line: int | None
    column: str | None
    sentence: str


class BatchVerdict(BaseModel):
    """What validation decided. Always: rows_read = rows_accepted + rows_quarantined.

    Of a batch that is `skipped`, its content having been accepted as another batch, no row counts as read.
    """

    model_config = STORED
    batch: Batch
    source: Source
    status: Literal["accepted", "accepted_in_part", "quarantined", "skipped"]
    rows_read: int
    rows_accepted: int
    rows_quarantined: int
    rows_labelled: int
    reasons: list[Reason]
    warnings: list[Reason] = []  # what is unusual about the batch as a whole, and probably why; refuses nothing
    pipeline_generation: int
    accepted_generation: int | None = None  # generation of the accepted Parquet object; None if nothing was accepted
    first_time: str | None = None  # ISO 8601, of the table's time column among accepted rows
    last_time: str | None = None
    first_error: RowError | None = None
    replay: Replay | None = None

    @model_validator(mode="after")
    def _reconciles(self) -> Self:
        if self.rows_read != self.rows_accepted + self.rows_quarantined:
            raise ValueError(
                f"Rows do not reconcile: {self.rows_read} read, "
                f"{self.rows_accepted} accepted + {self.rows_quarantined} quarantined."
            )
        return self

    def ledger_line(self) -> dict[str, str]:
        """The facts that listing the ledger must give without opening each verdict, as object metadata."""
        return {
            "status": self.status,
            "rows_read": str(self.rows_read),
            "rows_accepted": str(self.rows_accepted),
            "rows_quarantined": str(self.rows_quarantined),
            "rows_labelled": str(self.rows_labelled),
            "accepted_generation": str(self.accepted_generation or ""),
            "source": self.source.uri,
            "source_generation": str(self.source.generation),
            "first_time": self.first_time or "",
            "last_time": self.last_time or "",
            "pipeline_generation": str(self.pipeline_generation),
            "replay_of": self.replay.of if self.replay else "",
            "origin": self.replay.origin if self.replay else "",
        }


class Comparison(BaseModel):
    """One measured comparison of challenger and champion; `champion` is None when there was none to compare with."""

    model_config = STORED
    metric: str
    slice: str  # "all", or "origin=JFK"
    rows: int
    challenger: float
    champion: float | None
    passed: bool
    difference: float | None = None  # by how much the challenger is better (positive) or worse
    error: float | None = None  # the standard error of that difference, the rows being the same


class ModelVerdict(BaseModel):
    """What the judge decided of a candidate."""

    model_config = STORED
    pipeline: str
    candidate_id: str
    status: Literal["published", "refused", "undecided"]
    reasons: list[Reason]
    comparisons: list[Comparison]
    champion_id: str | None  # the candidate that served when this one was judged


__all__ = [
    "FROZEN",
    "BatchVerdict",
    "Before",
    "Comparison",
    "HeldAgainst",
    "ModelVerdict",
    "Reason",
    "Replay",
    "RowError",
    "Staged",
    "Taken",
]
