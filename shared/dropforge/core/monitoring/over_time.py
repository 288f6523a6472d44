"""What is known of how good a pipeline's answers were, in the order in which it became known."""

from collections.abc import Iterator
from dataclasses import dataclass

from dropforge.contracts import monitoring
from dropforge.contracts.monitoring import BatchScore, PartScores
from dropforge.core.monitoring.watch import Watch
from dropforge.core.ports import Objects
from dropforge.core.state import load


@dataclass(frozen=True)
class Measured:
    """One slice of a batch that was answered again, or of answers whose labels came together.

    `known` is ISO 8601: when the labels were there. `alarmed`: an alert on this slice of this version is open now.
    """

    known: str
    of: str
    name: str
    version: str
    slice: str
    rows: int
    accuracy: float
    low: float
    high: float
    roc_auc: float | None
    alarmed: bool


def over_time(state: Objects, pipeline: str) -> Iterator[Measured]:
    """Every slice of everything that was scored."""
    watch = load(state, monitoring.watch(pipeline), Watch)
    open_ = {name for name, one in watch[0].slices.items() if one.open} if watch else set()
    version = watch[0].version if watch else ""
    for known, what, score in _scores(state, pipeline):
        for name, one in score.slices.items():
            yield Measured(
                known=known,
                of=what,
                name=score.batch_id,
                version=score.version,
                slice=name,
                rows=one.rows,
                accuracy=one.accuracy,
                low=one.low,
                high=one.high,
                roc_auc=one.roc_auc,
                alarmed=score.version == version and name in open_,
            )


def _scores(state: Objects, pipeline: str) -> list[tuple[str, str, BatchScore]]:
    found = []
    for info in state.list(monitoring.batch_score(pipeline, "")[: -len(".json")]):
        score = BatchScore.model_validate_json(state.read(info.name)[0])
        found.append((info.updated, "batch", score))
    for info in state.list(monitoring.part_scores(pipeline, "")):
        parts = PartScores.model_validate_json(state.read(info.name)[0])
        found += [(info.updated, "answers", score) for score in parts.scores]
    return sorted(found, key=lambda each: (each[0], each[2].batch_id))
