"""What is learned, and from which columns."""

from typing import Literal, Self

from pydantic import BaseModel, model_validator

from dropforge.contracts.outcomes import Task
from dropforge.contracts.pipeline.table import STRICT

Part = Literal["hour", "minute_of_day", "weekday", "month", "day_of_year"]


class Label(BaseModel):
    """What is predicted. Rows without it are not trained on.

    Either whether `column` is `above` a limit or `equals` a value, which is answered by a probability; or, as `kind`
    says, the `number` that it holds, or which of its `classes` it holds, which is answered by a probability for each.
    """

    model_config = STRICT
    name: str
    column: str
    above: float | None = None
    equals: str | None = None
    kind: Literal["number", "classes"] | None = None

    @property
    def task(self) -> Task:
        """What kind of thing is predicted."""
        return "binary" if self.kind is None else "regression" if self.kind == "number" else "multiclass"

    @model_validator(mode="after")
    def _one_rule(self) -> Self:
        if sum(rule is not None for rule in (self.above, self.equals, self.kind)) != 1:
            raise ValueError("A label needs exactly one of 'above', 'equals' and 'kind'.")
        return self


class Feature(BaseModel):
    """One input of the model: a column as it is, or a part of a time column, in the given time zone."""

    model_config = STRICT
    name: str
    column: str
    part: Part | None = None
    zone: str = "UTC"
