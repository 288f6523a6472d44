"""What is watched of a model that serves."""

from typing import Literal

from pydantic import BaseModel, Field

from dropforge.contracts.pipeline.table import STRICT


class Monitoring(BaseModel):
    """When a person is told that a slice got worse, and what is done about it.

    `watches`: each accepted batch, answered again by the version that served when it came (`batches`); or the
    `answers` that callers got, once labels come for them, by HTTP or in files. `metric` is watched, `accuracy` of
    answers, ranking (`roc_auc`) or probabilities (`brier`), in observations of a `block`: a day's rows count as one
    where they hang together, ten rows where each is for itself. Of numbers only the accuracy can be watched: an answer
    is right that is `within` so much of the truth, in the label's unit; by default the version's own mean absolute
    error on its holdout. `margin`: how far below its level at publication a slice may fall. `false_alarms`: the chance
    that a version under which no slice falls further ever raises an alarm. Slices of fewer than `min_slice_rows`
    holdout rows are not watched.

    `on_accuracy_down`, besides telling: `retrain` asks for a training, `rollback` serves the version before and holds
    it, `stop` lets the version serve on and holds it, so that none is published over it until a person releases it.
    """

    model_config = STRICT
    watches: Literal["batches", "answers"] = "batches"
    metric: Literal["accuracy", "roc_auc", "brier"] = "accuracy"
    within: float | None = Field(default=None, gt=0)
    block: Literal["rows", "hour", "day"] = "day"
    margin: float = Field(default=0.02, ge=0, le=1)
    false_alarms: float = Field(default=0.01, gt=0, lt=1)
    min_slice_rows: int = Field(default=100, ge=10)
    on_accuracy_down: Literal["tell", "retrain", "rollback", "stop"] = "tell"
