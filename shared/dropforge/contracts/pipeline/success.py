"""When a challenger may serve."""

from typing import Literal, Self

from pydantic import BaseModel, Field, model_validator

from dropforge.contracts.pipeline.table import STRICT

Metric = Literal["roc_auc", "log_loss", "brier", "accuracy"]


class Success(BaseModel):
    """When a challenger may serve.

    `floor`: the least it must reach. `gain`: by how much it must beat the champion. `prefer: better` asks besides that
    the gain be no chance; `fresher` lets a challenger through that may, at 97.5 % confidence, be worse by no more than
    `tolerance`. `slice_margin`: by how much it may be worse than the champion in any slice of at least
    `min_slice_rows` holdout rows.
    """

    model_config = STRICT
    metric: Metric
    floor: float
    gain: float = 0.0
    prefer: Literal["better", "fresher"] = "better"
    tolerance: float = Field(default=0.01, ge=0)
    slice_margin: float = Field(ge=0)
    min_slice_rows: int = Field(default=200, ge=1)

    @model_validator(mode="after")
    def _asks_one_thing(self) -> Self:
        if self.prefer == "fresher" and self.gain != 0:
            raise ValueError(f"'prefer: fresher' asks for no gain, so 'gain' must be 0. Got {self.gain:g}.")
        return self
