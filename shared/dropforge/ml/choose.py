"""Which kind of model to train: the one that predicts the later training rows best from those before them.

The holdout is not touched, so its numbers stay what they claim to be. The budget is a number of rows and not of
seconds: a clock would let the same rows give another model on a slower day.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from dropforge.contracts.errors import NotEnoughData
from dropforge.contracts.outcomes import Task
from dropforge.contracts.pipeline import Pipeline
from dropforge.ml import fit, score, serving
from dropforge.ml.recipes import without_text
from dropforge.ml.rows import coded, columns_of, labels_of

# The newest rows that are tried on, and where among them each block that is predicted starts and ends: three blocks,
# each predicted from all before it (rolling origin). About two seconds for a booster and a logistic regression.
MOST_ROWS = 30_000
BLOCKS = ((0.55, 0.7), (0.7, 0.85), (0.85, 1.0))


@dataclass(frozen=True)
class Choice:
    """The kind chosen, and what each one tried reached: kind -> the mean of the pipeline's metric over the blocks."""

    kind: str
    tried: dict[str, float]


def choose(pipeline: Pipeline, rows: pa.Table) -> Choice:
    """Choose for labelled rows in the order of time.

    The kind that the pipeline names first is preferred: another must predict every block better. One block says too
    little: of twelve trainings on the flights, the last block alone preferred logistic regression in five, and in each
    of them it was the worse kind in the month that followed. Nothing is tried where only one kind is allowed, or rows
    are too few to predict a block.
    """
    preferred, *others = _readable(pipeline)
    blocks = _blocks(rows.slice(max(0, rows.num_rows - MOST_ROWS)), pipeline.label.task)
    if not others or not blocks:
        return Choice(preferred, {})
    sign = 1 if score.HIGHER_IS_BETTER[pipeline.success.metric] else -1
    reached = {kind: np.array([_reached(pipeline, kind, *block) for block in blocks]) for kind in (preferred, *others)}
    tried: dict[str, float] = {kind: round(float(values.mean()), 6) for kind, values in reached.items()}
    better = [kind for kind in others if (sign * (reached[kind] - reached[preferred]) > 0).all()]
    return Choice(max(better, key=lambda kind: sign * tried[kind], default=preferred), tried)


def _readable(pipeline: Pipeline) -> list[str]:
    """The kinds allowed, in their order; boosting reads no text, so it is none where there is nothing else."""
    only_text = not without_text(fit.inputs(pipeline))
    return [kind for kind in pipeline.kinds if not (only_text and kind == "boosting")]


def _blocks(rows: pa.Table, task: Task) -> list[tuple[pa.Table, pa.Table]]:
    """Each block with the rows before it; none at all where one of them is too small."""
    blocks = []
    for start, end in BLOCKS:
        first, last = int(rows.num_rows * start), int(rows.num_rows * end)
        blocks.append((rows.slice(0, first), rows.slice(first, last - first)))
    try:
        for before, block in blocks:
            fit.check_enough(labels_of(before), "inner training", task)
            fit.check_enough(labels_of(block), "inner holdout", task)
    except NotEnoughData:
        return []
    return blocks


def _reached(pipeline: Pipeline, kind: str, before: pa.Table, block: pa.Table) -> float:
    model = fit.fit(pipeline, columns_of(before), labels_of(before), kind)
    measure = score.METRICS[pipeline.success.metric]
    labels = coded(labels_of(block), serving.classes(model))
    return measure(labels, serving.given(model, columns_of(block)))
