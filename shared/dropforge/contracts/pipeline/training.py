"""When and on what a model is trained."""

from typing import Literal

from pydantic import BaseModel, Field

from dropforge.contracts.outcomes import Task
from dropforge.contracts.pipeline.table import STRICT
from dropforge.contracts.pipeline.window import Windowed

Kind = Literal["boosting", "logistic", "ridge", "constant"]

# The kinds that suit each task, and are tried unless the pipeline says which, the preferred one first.
KINDS_OF: dict[Task, tuple[Kind, ...]] = {
    "binary": ("boosting", "logistic", "constant"),
    "multiclass": ("boosting", "logistic", "constant"),
    "regression": ("boosting", "ridge", "constant"),
}


class Training(BaseModel):
    """When and on what a model is trained.

    `static`: on request only. `dynamic`: also once `new_rows` labelled rows were accepted since the last candidate,
    but not within `cool_down_minutes` of it, nor more than `runs_per_day` times in 24 hours; one training then takes
    all that has waited. `holdout_days`: the last days of the data, on which the model is judged and not trained.
    `update`: whether the champion may be brought up to date by new rows alone, where that predicts the last of them at
    least as well as a full training (`ml.updating`). `group`: a column whose values are entities that have many rows,
    such as a speaker: a fifth of them is never trained on, and the holdout is their last days. `most_rows`: of more, a
    share is read, chosen by a hash of the key. `per`: a category whose values are entities that each get a small
    correction over the model of all, where that predicts later rows better (`ml.personal`); requests give it.
    `window`: how far back the rows go that are trained on; `auto` takes what would have predicted this pipeline's own
    past best (`ml.window`). `models`: the kinds that are tried, the preferred one first, by default all that suit the
    label (`KINDS_OF`); another is taken only if it predicts all the later training rows better. `search_seconds`: about
    how long either search may take; it bounds the rows that are tried on. `function_seconds`, `function_memory_mb`: a
    training that is expected to take more runs as a Vertex AI custom job. `cost_per_day`: the most that the trainings
    of 24 hours may cost, at `price_per_hour` of the machine; an estimate, in the currency of that price.
    """

    model_config = STRICT
    mode: Literal["static", "dynamic"]
    new_rows: int = Field(default=1000, ge=1)
    cool_down_minutes: int = Field(default=0, ge=0)
    runs_per_day: int | None = Field(default=None, ge=1)
    holdout_days: int = Field(default=7, ge=1)
    group: str | None = None
    per: str | None = None
    window: Windowed = "all"
    most_rows: int = Field(default=5_000_000, ge=1000)
    models: list[Kind] | None = Field(default=None, min_length=1)
    search_seconds: float = Field(default=10.0, gt=0)
    update: bool = False
    seed: int = 0
    function_seconds: int = Field(default=400, ge=1)
    function_memory_mb: int = Field(default=3000, ge=1)
    cost_per_day: float | None = Field(default=None, gt=0)
    price_per_hour: float = Field(default=0.2, gt=0)
