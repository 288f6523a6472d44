"""The canary of a pipeline: the version that answers a share of the requests before it answers all."""

from typing import Literal

from pydantic import BaseModel

from dropforge.contracts.verdicts import STORED, Reason

# `passed`: it is the champion now. `failed`: taken back, for reasons. `overtaken`: the champion moved meanwhile.
Status = Literal["baking", "passed", "failed", "overtaken"]


class Canary(BaseModel):
    """Where a canary is. It is valid beside one generation of the champion pointer only."""

    model_config = STORED
    pipeline: str
    candidate_id: str
    version: str
    model: str  # resource name
    champion_id: str  # the candidate that serves the rest
    champion_version: str
    champion_generation: int  # of the champion pointer
    shares: list[int]  # percentages, of which `shares[step]` is the present one
    step: int = 0
    began: str  # ISO 8601
    since: str  # ISO 8601, of the present step
    looked: str  # ISO 8601, when the evidence was last judged
    by: str
    status: Status = "baking"
    evidence: list[Reason] = []  # what the last look saw
    told: bool = False  # whether its end was announced

    @property
    def baking(self) -> bool:
        """Whether it is under way."""
        return self.status == "baking"

    @property
    def share(self) -> int:
        """The percentage of requests that it answers while it bakes."""
        return self.shares[self.step]


class Requests(BaseModel):
    """What one instance of `predict` has seen of the requests since it knew of a canary."""

    model_config = STORED
    answered: dict[str, list[int]] = {}  # version -> how many answers took how long, by `latency.bucket`
    failed: int = 0  # tries that brought no answer; which version they were for, nobody says
