"""Features that tell the label too well to have been known before it, over all batches that a model learns from."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from dropforge.contracts import places
from dropforge.contracts.batch import Batch
from dropforge.contracts.errors import LabelLeaks
from dropforge.contracts.pipeline import Pipeline
from dropforge.contracts.telling import Telling, Tellings
from dropforge.core.ports import Objects
from dropforge.core.state import load

ENOUGH = 100  # rows of each class; fewer can be told apart by chance


def refuse(state: Objects, pipeline: Pipeline, batches: Iterable[Batch]) -> None:
    """Raise LabelLeaks where a feature is suspected that `allowed_leaks` does not name."""
    if pipeline.label.task != "binary":  # a number may well be foretold by one column
        return
    found = suspected([*tellings(state, (batch for batch in batches if batch.table == pipeline.table))])
    leaks = [one for one in found if one.column not in pipeline.allowed_leaks]
    if leaks:
        listed = ", ".join(f"{one.column!r} (area under the curve {one.auc:.3f})" for one in leaks)
        raise LabelLeaks(
            f"{listed} alone predicts the label almost perfectly, so it is probably known only after the outcome. "
            "Put it under 'forbidden_features', or under 'allowed_leaks' if it is known before.",
            pipeline=pipeline.pipeline,
            columns=[one.column for one in leaks],
        )


def suspected(each: list[Tellings]) -> list[Telling]:
    """Features whose area, on average over the rows, is at least LEAK; none while there are too few rows."""
    positives, negatives = sum(one.positives for one in each), sum(one.negatives for one in each)
    if min(positives, negatives) < ENOUGH:
        return []
    return [one for one in averaged(each) if one.leak]


def averaged(each: Iterable[Tellings]) -> list[Telling]:
    """Each column's area over several batches, weighted by their rows, the most telling first."""
    total: dict[str, float] = defaultdict(float)
    rows: dict[str, int] = defaultdict(int)
    feature: dict[str, bool] = {}
    for batch in each:
        for one in batch.columns:
            total[one.column] += one.auc * (batch.positives + batch.negatives)
            rows[one.column] += batch.positives + batch.negatives
            feature[one.column] = one.feature
    found = [Telling(column=name, auc=total[name] / rows[name], feature=feature[name]) for name in total]
    return sorted(found, key=lambda one: (-one.auc, one.column))


def tellings(state: Objects, batches: Iterable[Batch]) -> Iterator[Tellings]:
    """What was measured of these batches; nothing of those without labels, or that are only a part of a file."""
    for batch in batches:
        found = load(state, places.telling(batch), Tellings)
        if found is not None:
            yield found[0]
