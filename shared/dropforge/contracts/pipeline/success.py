"""When a challenger may serve."""

from typing import Literal, Self

from pydantic import BaseModel, Field, model_validator

from dropforge.contracts.outcomes import Task
from dropforge.contracts.pipeline.table import STRICT

Metric = Literal["roc_auc", "log_loss", "brier", "accuracy", "macro_f1", "rmse", "mae", "r2"]

# What each task may be judged by. Of more classes than two, `roc_auc` is the mean over classes, each against the rest.
METRICS_OF: dict[Task, tuple[Metric, ...]] = {
    "binary": ("roc_auc", "log_loss", "brier", "accuracy"),
    "multiclass": ("log_loss", "macro_f1", "accuracy", "roc_auc", "brier"),
    "regression": ("rmse", "mae", "r2"),
}


class Success(BaseModel):
    """When a challenger may serve.

    `metric`: see `METRICS_OF`. `floor`: the least it must reach, or the most, where less is better. `gain`: by how much
    it must beat the champion. `prefer: better` asks besides that the gain be no chance; `fresher` lets a challenger
    through that may, at 97.5 % confidence, be worse by no more than `tolerance`. `slice_margin`: by how much it may be
    worse than the champion in any slice of at least `min_slice_rows` holdout rows. All are in the metric's unit.
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
