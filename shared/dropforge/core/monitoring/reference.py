"""The level that a slice had at publication, and the reference that it is held against from then on."""

import math
from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

# Standard errors of the level by which the reference lies below it, at least. More would cost delay: a level that is
# too high by one adds one half to the evidence's logarithm once as much was seen as made the level.
_CERTAIN = 0.5
LEAST = 3  # observations that make a level


class Level(BaseModel):
    """The mean of the observations on the holdout, its standard error, and the reference below it."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    level: float
    error: float
    observations: int
    reference: float


def of_observations(observations: Sequence[float], margin: float) -> Level:
    """The level of at least `LEAST` observations.

    The reference lies below it by the margin, what a person does not mind, or by what the level is uncertain by,
    whichever is more: were the model lucky on its holdout, each later batch would look like a drop.
    """
    count = len(observations)
    mean = sum(observations) / count
    spread = sum((value - mean) ** 2 for value in observations) / (count - 1)
    error = math.sqrt(spread / count)
    return Level(level=mean, error=error, observations=count, reference=max(mean - max(margin, _CERTAIN * error), 0.0))
