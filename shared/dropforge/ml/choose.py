"""Which recipe to train by: the one that predicts the later training rows best from those before them.

The holdout is not touched, so its numbers stay what they claim to be. The budget is a number of rows, computed from
`search_seconds` and known speeds: a clock would let the same rows give another model on a slower day.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from dropforge.contracts.errors import NotEnoughData
from dropforge.contracts.models import Personal
from dropforge.contracts.pipeline import Pipeline
from dropforge.ml import calibrate, fit, groups, score, serving
from dropforge.ml.calibrate import Correction
from dropforge.ml.recipes import variants, without_text
from dropforge.ml.rows import coded, columns_of, labels_of, weights_of

log = logging.getLogger("train")

# Where among the newest rows each block that is predicted starts and ends, the newest first: three blocks, each
# predicted from all before it (rolling origin).
BLOCKS = ((0.85, 1.0), (0.7, 0.85), (0.55, 0.7))
MOST_ROWS, LEAST_ROWS = 30_000, 5_000
# Rows with a feature that a second pays for, over the three blocks: 30,000 flights of 16 features take a booster about
# 0.8 s on two cores, a logistic regression 1.1 s. What is tried on one block only costs a third.
ROWS_A_SECOND = 500_000


@dataclass(frozen=True)
class Choice:
    """The recipe chosen, what each one reached, and the correction of its probabilities where one helps.

    `tried`: recipe -> the pipeline's metric on the newest block, which all were tried on. `personal` is asked
    afterwards (`personal.choose`).
    """

    kind: str
    tried: dict[str, float]
    correction: Correction | None = None
    personal: Personal | None = None


@dataclass(frozen=True)
class _Tried:
    """What a recipe reached on a block: the metric, turned so that higher is better, and what it gave."""

    value: float
    labels: np.ndarray
    given: np.ndarray


def choose(pipeline: Pipeline, rows: pa.Table) -> Choice:
    """Choose for labelled rows in the order of time.

    The kind that the pipeline names first is preferred: another must predict every block better, and so is out at the
    first block that it does not. One block says too little: of twelve trainings on the flights, the last block alone
    preferred logistic regression in five, and in each of them it was the worse kind in the month that followed. Nothing
    is tried where only one recipe is allowed, or rows are too few to predict a block.
    """
    preferred, *others = recipes(pipeline)
    outputs = len(np.unique(labels_of(rows))) if pipeline.label.task == "multiclass" else 1
    most = most_rows(pipeline, outputs * (1 + len(others)))
    blocks = later_blocks(pipeline, rows.slice(max(0, rows.num_rows - most)))
    if not blocks or (not others and not calibrate.suits(pipeline)):
        return Choice(preferred, {})
    sign = 1 if score.HIGHER_IS_BETTER[pipeline.success.metric] else -1
    reached = {kind: [_reached(pipeline, kind, *blocks[0])] for kind in (preferred, *others)}
    tried = {kind: round(sign * found[0].value, 6) for kind, found in reached.items()} if others else {}
    left = [kind for kind in others if reached[kind][0].value > reached[preferred][0].value]
    for block in blocks[1:]:
        for kind in (preferred, *left):
            reached[kind].append(_reached(pipeline, kind, *block))
        left = [kind for kind in left if reached[kind][-1].value > reached[preferred][-1].value]
    best = max(left, key=lambda kind: sum(found.value for found in reached[kind]), default=preferred)
    log.info(f"{pipeline.pipeline}: {best} is chosen of {', '.join(reached)}.", extra={"fields": {"tried": tried}})
    if best == "constant" or not calibrate.suits(pipeline):  # of a constant, a correction is one more constant
        return Choice(best, tried)
    older = [(found.labels, found.given) for found in reversed(reached[best])]
    return Choice(best, tried, calibrate.correction(pipeline, older))


def recipes(pipeline: Pipeline) -> list[str]:
    """The recipes allowed, in their order; boosting reads no text, so it is none where there is nothing else."""
    inputs, terms = fit.inputs(pipeline), fit.terms(pipeline, 0)
    only_text = not without_text(inputs)
    kinds = [kind for kind in pipeline.kinds if not (only_text and kind == "boosting")]
    return [recipe for kind in kinds for recipe in variants(kind, inputs, terms)]


def most_rows(pipeline: Pipeline, tried: int) -> int:
    """How many of the newest rows so many recipes, each as often as it has outputs, are tried on within the budget."""
    cost = tried * max(len(pipeline.features), 1)
    return int(np.clip(pipeline.training.search_seconds * ROWS_A_SECOND / cost, LEAST_ROWS, MOST_ROWS))


def later_blocks(pipeline: Pipeline, rows: pa.Table) -> Sequence[tuple[pa.Table, pa.Table]]:
    """Each block with the rows before it, and other entities; none at all where one of them is too small."""
    blocks, task = [], pipeline.label.task
    place = np.arange(rows.num_rows)
    for part, (start, end) in enumerate(BLOCKS, start=1):
        first, last = int(rows.num_rows * start), int(rows.num_rows * end)
        before, block = groups.apart(pipeline, rows, place < first, (place >= first) & (place < last), part)
        blocks.append((rows.filter(pa.array(before)), rows.filter(pa.array(block))))
    try:
        for before, block in blocks:
            fit.check_enough(labels_of(before), "inner training", task)
            fit.check_enough(labels_of(block), "inner holdout", task)
    except NotEnoughData:
        return []
    return blocks


def _reached(pipeline: Pipeline, kind: str, before: pa.Table, block: pa.Table) -> _Tried:
    model = fit.fit(pipeline, columns_of(before), labels_of(before), kind, weights_of(before))
    labels = coded(labels_of(block), serving.classes(model))
    given = serving.given(model, columns_of(block))
    value = score.METRICS[pipeline.success.metric](labels, given)
    log.info(f"{pipeline.pipeline}: {kind} reaches {value:.4f}.", extra={"fields": {"rows": before.num_rows}})
    return _Tried(value if score.HIGHER_IS_BETTER[pipeline.success.metric] else -value, labels, given)
