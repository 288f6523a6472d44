"""A disposition: what a person decided about the rows of one batch that lie quarantined. Each batch has at most one."""

from hashlib import sha256
from typing import Literal

from pydantic import BaseModel

from dropforge.contracts.batch import Batch
from dropforge.contracts.verdicts import STORED

Action = Literal["replay", "release", "discard"]


class Disposition(BaseModel):
    """Written once, so that rows are never taken up twice: the first word about a batch's rows stands.

    A `replay` and a `release` make another batch, `to`, of the rows, which is judged by the rules of
    `pipeline_generation` and may have quarantined rows, and so a disposition, of its own. A `discard` ends them.
    """

    model_config = STORED
    batch: Batch
    action: Action
    rows: int
    by: str
    reason: str
    at: str  # ISO 8601
    pipeline_generation: int

    @property
    def to(self) -> Batch | None:
        """The batch that the rows became, or None when they were discarded.

        Its id is made of that of this batch, so no other disposition can lead to it, and a repeat leads to the same.
        """
        if self.action == "discard":
            return None
        digest = sha256(f"{self.batch.batch_id}\n{self.action}\n{self.pipeline_generation}".encode()).hexdigest()
        return self.batch.model_copy(update={"batch_id": digest[:20]})
