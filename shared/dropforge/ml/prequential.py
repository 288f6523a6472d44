"""Test, then train: each labelled batch is answered by the version that served when it came, and that never saw it.

So a slice that goes bad is seen without any live traffic, as soon as its labels are there (Dawid, "Prequential
analysis", 1984; Gama, Sebastião and Rodrigues, "On evaluating stream learning algorithms", 2013).
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from dropforge.contracts import places
from dropforge.contracts.models import Candidate, HistoryEntry
from dropforge.contracts.monitoring import BatchScore, SliceScore
from dropforge.contracts.pipeline import Monitoring, Pipeline
from dropforge.core import candidates, dataset, history, ledger
from dropforge.core.ports import Objects
from dropforge.ml import artefact, score, serving
from dropforge.ml.rows import columns_of, labelled, labels_of

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
        slices=of_rows(pipeline, rows, serving.probabilities(model, columns_of(rows))),
    )


def of_rows(pipeline: Pipeline, rows: pa.Table, probabilities: score.Floats) -> dict[str, SliceScore]:
    """How good probabilities of labelled rows are, for all and for each slice; rows are in the order of their time."""
    labels = labels_of(rows)
    columns = {name: rows[name].to_pylist() for name in pipeline.slices}
    features = {feature.column for feature in pipeline.features}
    empty = {name: np.array(rows[name].is_null()) for name in sorted(features)}
    blocks = _blocks(rows, pipeline)
    masks = [(score.ALL, np.ones(len(labels), dtype=bool)), *score.slices(columns, pipeline.slices)]
    return {
        name: _scored(labels[mask], probabilities[mask], blocks[mask], _shares(empty, mask), pipeline.monitoring)
        for name, mask in masks
    }


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
    labels: NDArray[Any], given: score.Floats, blocks: NDArray[Any], missing: dict[str, float], settings: Monitoring
) -> SliceScore:
    accuracy = score.accuracy(labels, given)
    low, high = wilson(accuracy, len(labels))
    ranked = score.roc_auc(labels, given)
    return SliceScore(
        rows=len(labels),
        accuracy=accuracy,
        low=low,
        high=high,
        brier=score.brier(labels, given),
        roc_auc=None if np.isnan(ranked) else ranked,
        positives=float(labels.mean()),
        predicted=float(given.mean()),
        missing=missing,
        observations=list(_observations(labels, given, blocks, settings)),
    )


def _observations(
    labels: NDArray[Any], given: score.Floats, blocks: NDArray[Any], settings: Monitoring
) -> Iterator[tuple[str, float]]:
    """The watched metric of block after block, in [0, 1], higher being better; small blocks go with the next.

    What is left at the end is no observation, unless it makes one by itself.
    """
    start = 0
    ends = np.r_[np.flatnonzero(blocks[1:] != blocks[:-1]) + 1, len(blocks)]
    for end in range(_PORTION, len(blocks) + 1, _PORTION) if settings.block == "rows" else ends:
        these = slice(start, int(end))
        if end - start >= _PORTION and (value := _value(settings.metric, labels[these], given[these])) is not None:
            yield str(blocks[start]), value
            start = int(end)


def _value(metric: str, labels: NDArray[Any], given: score.Floats) -> float | None:
    value = score.METRICS[metric](labels, given)
    if np.isnan(value):
        return None
    return value if score.HIGHER_IS_BETTER[metric] else 1 - value


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
