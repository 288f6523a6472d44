"""What is kept of the predictions that are answered."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from dropforge.contracts.pipeline.table import STRICT


class Logging(BaseModel):
    """What is kept of requests and answers, so that labels that come later can be held against them.

    `share` of the requests is kept, whole requests, chosen by their id; 0 keeps nothing. The values of `masked` columns
    are not kept: they leave `predict` as null, in features and keys alike. `loss`: what may be lost of the log when a
    process dies. `bounded`: what was answered in the last tenth of a second, or while Pub/Sub did not take it; nothing
    waits for the log. `none`: an answer is given once Pub/Sub has its log, and refused while it takes none.
    """

    model_config = STRICT
    share: Annotated[float, Field(ge=0, le=1)] = 1.0
    masked: list[str] = []
    loss: Literal["bounded", "none"] = "bounded"
