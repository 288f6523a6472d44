"""Test, then train: each labelled batch is answered by the version that served when it came, and that never saw it.

So a slice that goes bad is seen without any live traffic, as soon as its labels are there (Dawid, "Prequential
analysis", 1984; Gama, Sebastião and Rodrigues, "On evaluating stream learning algorithms", 2013).
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from dropforge.contracts import places
from dropforge.contracts.models import Candidate, HistoryEntry
from dropforge.contracts.monitoring import BatchScore, SliceScore
from dropforge.contracts.outcomes import Task
from dropforge.contracts.pipeline import Monitoring, Pipeline
from dropforge.core import candidates, dataset, history, ledger
from dropforge.core.ports import Objects
from dropforge.ml import artefact, score, serving
from dropforge.ml.rows import coded, columns_of, labelled, labels_of

_PORTION = 10  # the fewest rows that make an observation
_WIDE = 1.959964  # of a normal distribution, for 95 %


def of_batch(pipeline: Pipeline, line: ledger.Line, state: Objects) -> BatchScore | None:
    """How good the version that served was on an accepted batch; None where none did, or no row has a label."""
    served = _served(state, line)
    if served is None:
        return None
    entry, candidate = served
    used = {join.table for join in pipeline.joins}
    joined = [each for each in ledger.lines(state, pipeline.pipeline) if each.accepted and each.batch.table in used]
    since = datetime.fromisoformat(candidate.lineage.train_until)
    rows = labelled(dataset.read_rows(pipeline, [line, *joined], state, since=since))
    if not rows.num_rows:
        return None
    content, _ = state.read(places.candidate(pipeline.pipeline, candidate.candidate_id, "model.joblib"))
    model = artefact.load(content, candidate.artefact_sha256)
    return BatchScore(
        pipeline=pipeline.pipeline,
        batch_id=line.batch.batch_id,
        candidate_id=candidate.candidate_id,
        version=entry.version,
        served_since=entry.at,
        slices=of_rows(pipeline, rows, serving.given(model, columns_of(rows)), candidate),
    )


def of_rows(pipeline: Pipeline, rows: pa.Table, given: score.Floats, candidate: Candidate) -> dict[str, SliceScore]:
    """How good what a candidate gave for labelled rows is, for all and for each slice; rows in the order of time."""
    labels = coded(labels_of(rows), candidate.classes)
    judged = _Judged(pipeline.monitoring, candidate.task, _within(pipeline, candidate))
    columns = {name: rows[name].to_pylist() for name in pipeline.slices}
    features = {feature.column for feature in pipeline.features}
    empty = {name: np.array(rows[name].is_null()) for name in sorted(features)}
    blocks = _blocks(rows, pipeline)
    masks = [(score.ALL, np.ones(len(labels), dtype=bool)), *score.slices(columns, pipeline.slices)]
    return {
        name: _scored(labels[mask], given[mask], blocks[mask], _shares(empty, mask), judged) for name, mask in masks
    }


@dataclass(frozen=True)
class _Judged:
    """How answers are judged. `within`: how far off a number may be to count as right."""

    settings: Monitoring
    task: Task
    within: float

    def right(self, labels: NDArray[Any], given: score.Floats) -> NDArray[np.bool_]:
        """Which answers are right."""
        if self.task == "regression":
            close: NDArray[np.bool_] = np.abs(given - labels) <= self.within
            return close
        return score.right(labels, given)

    def value(self, labels: NDArray[Any], given: score.Floats) -> float | None:
        """The watched metric, turned so that higher is better; None where it is not defined."""
        if self.settings.metric == "accuracy":
            return float(self.right(labels, given).mean())
        value = score.METRICS[self.settings.metric](labels, given)
        if np.isnan(value):
            return None
        return value if score.HIGHER_IS_BETTER[self.settings.metric] else 1 - value


def _within(pipeline: Pipeline, candidate: Candidate) -> float:
    """Without a setting, the candidate's own mean absolute error, so that somewhat more than half of it is right."""
    if pipeline.monitoring.within is not None:
        return pipeline.monitoring.within
    return candidate.metrics[score.ALL].get("mae", 0.0)


def _served(state: Objects, line: ledger.Line) -> tuple[HistoryEntry, Candidate] | None:
    """What served when the batch was accepted and was not trained on it: the same for every delivery."""
    pipeline = line.batch.pipeline
    decided = datetime.fromisoformat(line.decided)
    for entry in reversed(list(history.entries(state, pipeline))):
        if datetime.fromisoformat(entry.at) > decided:
            continue
        candidate = candidates.find(state, pipeline, entry.candidate_id)
        if candidate and line.batch.batch_id not in {batch.batch_id for batch in candidate.lineage.batches}:
            return entry, candidate
    return None


def _scored(
    labels: NDArray[Any], given: score.Floats, blocks: NDArray[Any], missing: dict[str, float], judged: _Judged
) -> SliceScore:
    accuracy = float(judged.right(labels, given).mean())
    low, high = wilson(accuracy, len(labels))
    probable, binary = judged.task != "regression", judged.task == "binary"
    ranked = score.roc_auc(labels, given) if probable else np.nan
    return SliceScore(
        rows=len(labels),
        accuracy=accuracy,
        low=low,
        high=high,
        brier=score.brier(labels, given) if probable else None,
        roc_auc=None if np.isnan(ranked) else ranked,
        positives=float(labels.mean()) if binary else None,
        predicted=float(given.mean()) if binary else None,
        missing=missing,
        observations=list(_observations(labels, given, blocks, judged)),
        rows_each=_PORTION if (judged.settings.block, judged.settings.metric) == ("rows", "accuracy") else 1,
    )


def _observations(
    labels: NDArray[Any], given: score.Floats, blocks: NDArray[Any], judged: _Judged
) -> Iterator[tuple[str, float]]:
    """The watched metric of block after block, in [0, 1], higher being better; small blocks go with the next.

    What is left at the end is no observation, unless it makes one by itself.
    """
    start = 0
    ends = np.r_[np.flatnonzero(blocks[1:] != blocks[:-1]) + 1, len(blocks)]
    for end in range(_PORTION, len(blocks) + 1, _PORTION) if judged.settings.block == "rows" else ends:
        these = slice(start, int(end))
        if end - start >= _PORTION and (value := judged.value(labels[these], given[these])) is not None:
            yield str(blocks[start]), value
            start = int(end)


def _blocks(rows: pa.Table, pipeline: Pipeline) -> NDArray[Any]:
    """For each row when it was, to the day or the hour, as text."""
    times: Sequence[Any] = rows[pipeline.main.time].to_pylist()
    length = 10 if pipeline.monitoring.block == "day" else 13
    return np.array([time.isoformat()[:length] for time in times])


def _shares(empty: Mapping[str, NDArray[np.bool_]], mask: NDArray[np.bool_]) -> dict[str, float]:
    return {name: float(values[mask].mean()) for name, values in empty.items() if values[mask].any()}


def wilson(share: float, rows: int) -> tuple[float, float]:
    """The 95 % interval of a share of independent rows (Wilson, 1927).

    >>> [round(bound, 3) for bound in wilson(0.5, 100)]
    [0.404, 0.596]
    """
    square = _WIDE * _WIDE / rows
    middle = (share + square / 2) / (1 + square)
    half = math.sqrt(share * (1 - share) * square + square * square / 4) / (1 + square)
    return max(middle - half, 0.0), min(middle + half, 1.0)
