"""What is learned, and from which columns."""

from typing import Literal, Self

from pydantic import BaseModel, model_validator

from dropforge.contracts.pipeline.table import STRICT

Part = Literal["hour", "minute_of_day", "weekday", "month", "day_of_year"]


class Label(BaseModel):
    """What is predicted: whether `column` is above a limit, or equals a value. Rows without it are not trained on."""

    model_config = STRICT
    name: str
    column: str
    above: float | None = None
    equals: str | None = None

    @model_validator(mode="after")
    def _one_rule(self) -> Self:
        if (self.above is None) == (self.equals is None):
            raise ValueError("A label needs exactly one of 'above' and 'equals'.")
        return self


class Feature(BaseModel):
    """One input of the model: a column as it is, or a part of a time column, in the given time zone."""

    model_config = STRICT
    name: str
    column: str
    part: Part | None = None
    zone: str = "UTC"
