"""What a training will take, estimated from its rows and columns and from what the last one turned out to take."""

import resource
import sys
from collections.abc import Sequence

from dropforge.contracts.estimates import Cost
from dropforge.contracts.models import Candidate, TrainedOn
from dropforge.contracts.pipeline import Pipeline

# Of a process with its libraries, before the first row.
BASE_MB, BASE_SECONDS = 400.0, 3.0
# A value is held as Arrow, as an array, encoded, and once more while tables are joined and parted. Boosting a million
# rows of 20 columns took 13 s on two cores; reading, choosing by a part of the rows, and scoring are as much again.
BYTES_A_VALUE = 100.0
SECONDS_A_VALUE = 1.5e-6


def expected(pipeline: Pipeline, batches: Sequence[TrainedOn], last: Candidate | None) -> Cost:
    """The cost of a training on these batches.

    The larger of two: by the constants above, and in proportion to what the last candidate took, if that is known.
    """
    rows = rows_of(pipeline, batches)
    values = rows * len(pipeline.features)
    fits = 1 if pipeline.training.per is None else 4  # three more, of two thirds of the rows, and the corrections
    seconds = BASE_SECONDS + pipeline.training.search_seconds + values * SECONDS_A_VALUE * fits
    memory = BASE_MB + values * BYTES_A_VALUE / 1e6
    if last is not None and last.took is not None:
        before = rows_of(pipeline, last.lineage.batches)  # all that were read: of an update, `rows_train` are the new
        more = rows / max(1, before)
        seconds = max(seconds, last.took.seconds * more)
        memory = max(memory, BASE_MB + max(0.0, last.took.memory_mb - BASE_MB) * more)
    return Cost(seconds=round(seconds, 1), memory_mb=round(memory, 1))


def rows_of(pipeline: Pipeline, batches: Sequence[TrainedOn]) -> int:
    """How many rows of the main table are read of these batches."""
    rows = sum(batch.rows for batch in batches if batch.table == pipeline.table)
    return min(rows, pipeline.training.most_rows)


def beyond(pipeline: Pipeline, cost: Cost) -> str:
    """Why a training is too much for the function, or nothing where it is not."""
    rules = pipeline.training
    if cost.seconds > rules.function_seconds:
        return f"It is expected to take {cost.seconds:,.0f} s; in the function {rules.function_seconds:,} are allowed."
    if cost.memory_mb > rules.function_memory_mb:
        return f"It is expected to need {cost.memory_mb:,.0f} MB; the function gives {rules.function_memory_mb:,}."
    return ""


def highest_memory_mb() -> float:
    """The highest memory of this process so far; in a function, that of the largest training that it has done."""
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(used / (1e6 if sys.platform == "darwin" else 1e3), 1)
