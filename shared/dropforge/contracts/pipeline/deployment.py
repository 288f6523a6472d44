"""How a version that passed the judge comes to answer requests."""

from typing import Self

from pydantic import BaseModel, Field, model_validator

from dropforge.contracts.pipeline.table import STRICT


class Deployment(BaseModel):
    """How a version that passed the judge comes to answer requests.

    `canary`: the percentages of requests that it answers before it answers all, such as [10, 50]; none by default, and
    then it answers all at once. Each step lasts `bake_minutes`, and until the version has answered `min_requests`. It
    is taken back when more than `max_errors` of its requests fail, when more than one in twenty takes longer than
    `max_slowdown` times what nineteen in twenty of the champion's stay below, or when rows accepted meanwhile show it
    worse, overall or in a slice; each of them beyond chance.

    Before all that, its server answers holdout rows one by one, in turn with the champion's: a version is refused where
    more than half of them take longer than `max_slowdown` times the champion's, or one in twenty longer than
    `max_latency_ms`, and one whose file for the server is larger than `max_size_mb`. The latter two have no default.
    """

    model_config = STRICT
    canary: list[int] = []
    bake_minutes: int = Field(default=60, ge=0)
    min_requests: int = Field(default=0, ge=0)
    max_errors: float = Field(default=0.01, ge=0, lt=1)
    max_slowdown: float = Field(default=2.0, ge=1)
    max_latency_ms: float | None = Field(default=None, gt=0)
    max_size_mb: float | None = Field(default=None, gt=0)

    @model_validator(mode="after")
    def _shares_grow(self) -> Self:
        if self.canary != sorted(set(self.canary)) or not all(0 < share < 100 for share in self.canary):
            raise ValueError(f"'canary' must be growing percentages from 1 to 99, such as [10, 50]. Got {self.canary}.")
        return self
