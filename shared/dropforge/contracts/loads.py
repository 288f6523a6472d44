"""Load history: one line for every batch that has a verdict, as the command and the BigQuery table `loads` have it."""

from pydantic import BaseModel

from dropforge.contracts.verdicts import STORED

DROPPED_BY = "dropped-by"  # metadata of a dropped object, where its writer says who


class Load(BaseModel):
    """What came, and what became of it. Times are ISO 8601, UTC.

    `rows_parsed` = `rows_accepted` + `rows_quarantined`, lines that could not be read among them, but for a batch that
    was `skipped`, of which no row was judged. `first_error_*` tell of the first row in the file that did not pass, or
    of the file where that cannot be read. `seconds` passed from staging to verdict, waiting included. `brought_by` is
    who dropped the file, where the writer said so (object metadata `dropped-by`), or who asked for the replay.
    """

    model_config = STORED
    pipeline: str
    table: str
    batch_id: str
    source: str
    source_generation: int
    size_bytes: int
    format: str
    compression: str
    encoding: str
    rows_parsed: int
    rows_accepted: int
    rows_quarantined: int
    status: str
    first_error_code: str | None
    first_error_line: int | None
    first_error_column: str | None
    first_error: str | None
    replay_of: str | None
    pipeline_generation: int
    brought_by: str | None
    staged_at: str
    decided_at: str
    seconds: float
