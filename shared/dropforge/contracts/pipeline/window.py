"""How far back training rows go."""

from typing import Literal, Self

from pydantic import BaseModel, Field, model_validator

from dropforge.contracts.pipeline.table import STRICT


class Window(BaseModel):
    """The rows of the last `days`, or the last `rows`; or all, each half as much for every `half_life_days` of age."""

    model_config = STRICT
    days: int | None = Field(default=None, ge=1)
    rows: int | None = Field(default=None, ge=100)
    half_life_days: float | None = Field(default=None, gt=0)

    @model_validator(mode="after")
    def _one_rule(self) -> Self:
        if sum(rule is not None for rule in (self.days, self.rows, self.half_life_days)) != 1:
            raise ValueError("A window needs exactly one of 'days', 'rows' and 'half_life_days'.")
        return self

    def __str__(self) -> str:
        if self.days is not None:
            return f"the last {self.days} days"
        if self.rows is not None:
            return f"the last {self.rows:,} rows"
        return f"all, half as much every {self.half_life_days:g} days"


Windowed = Literal["all", "auto"] | Window
