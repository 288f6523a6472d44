"""What a training is expected to take, and what it took."""

from pydantic import BaseModel

from dropforge.contracts.verdicts import STORED


class Cost(BaseModel):
    """Seconds from reading to writing, and the highest memory of the process."""

    model_config = STORED
    seconds: float
    memory_mb: float
