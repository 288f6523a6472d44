"""What is known of how good the answers were, slice by slice, and where it lies in the state bucket."""

from pydantic import BaseModel

from dropforge.contracts.verdicts import STORED


class SliceScore(BaseModel):
    """How good the answers of some rows were. `low` and `high` bound the accuracy (Wilson, 95 %).

    A number counts as right within the distance that `monitoring.within` gives.
    """

    model_config = STORED
    rows: int
    accuracy: float
    low: float
    high: float
    brier: float | None  # None of numbers
    roc_auc: float | None  # None where only one class occurred
    positives: float | None  # the share of rows whose label is true; None unless binary
    predicted: float | None  # the mean probability; None unless binary
    missing: dict[str, float]  # feature -> the share of rows without a value
    observations: list[tuple[str, float]]  # when, and the watched metric in [0, 1], higher is better
    rows_each: int = 1  # rows, each for itself, whose share of right answers an observation is; else 1


class BatchScore(BaseModel):
    """How good the version that served was on a batch that it had not seen; `slices` has `all` and `origin=JFK`."""

    model_config = STORED
    pipeline: str
    batch_id: str
    candidate_id: str
    version: str
    served_since: str  # ISO 8601
    slices: dict[str, SliceScore]


class PartScores(BaseModel):
    """How good the answers of a part of logged predictions were, one score for each version that gave some."""

    model_config = STORED
    scores: list[BatchScore]


def part_scores(pipeline: str, part: str) -> str:
    """JSON (`PartScores`): written once. Or, for no part, the prefix of all."""
    return f"monitoring/{pipeline}/answers/" + (f"{part}.json" if part else "")


def batch_score(pipeline: str, batch_id: str) -> str:
    """JSON (`BatchScore`): written once."""
    return f"monitoring/{pipeline}/scores/{batch_id}.json"


def watch(pipeline: str) -> str:
    """JSON (`core.monitoring.watch.Watch`): the tests of all slices, changed by compare-and-set only."""
    return f"monitoring/{pipeline}/watch.json"
