"""How predictions are answered."""

from typing import Literal, Self

from pydantic import BaseModel, Field, model_validator

from dropforge.contracts.pipeline.table import STRICT


class Serving(BaseModel):
    """How predictions are answered; the answers are the same in each mode.

    `dynamic`: by the model. `static`: from a table of answers to the rows of the newest `days`, computed when a model
    is published; whatever else is asked is refused. `hybrid`: from that table, and by the model what it does not have.
    `key`: columns of the main table by which a caller may ask for a row of the table instead of sending its features.
    """

    model_config = STRICT
    mode: Literal["static", "dynamic", "hybrid"] = "dynamic"
    key: list[str] = []
    days: int = Field(default=30, ge=1)

    @model_validator(mode="after")
    def _key_with_a_table(self) -> Self:
        if (self.mode == "dynamic") != (not self.key):
            raise ValueError(
                f"'static' and 'hybrid' need a 'key', and 'dynamic' has none. Got {self.mode}: {self.key}."
            )
        return self
