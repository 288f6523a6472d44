"""How much of the rows is read, where there are more than a training can hold."""

from collections.abc import Sequence

from dropforge.contracts.models import TrainedOn
from dropforge.contracts.pipeline import Pipeline

# The share is a whole number of these, so that it is the same number wherever it is written.
_STEPS = 10_000


def share(pipeline: Pipeline, batches: Sequence[TrainedOn]) -> float:
    """The share of the main table's rows that `most_rows` allows; 1 where all may be read, and never 0."""
    rows = sum(batch.rows for batch in batches if batch.table == pipeline.table)
    if rows <= pipeline.training.most_rows:
        return 1.0
    return max(1, int(_STEPS * pipeline.training.most_rows / rows)) / _STEPS
