"""Which chunks one BigQuery load takes in."""

from pydantic import BaseModel

from dropforge.contracts.verdicts import STORED


class Manifest(BaseModel):
    """One load: its number among those of the pipeline, from 1, and the names of the chunks."""

    model_config = STORED
    number: int
    chunks: list[str]
