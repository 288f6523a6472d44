"""Whether single entities are corrected, how far, and how strongly they are drawn to the common model.

Asked as the recipe is: on blocks of later training rows, each predicted from those before it. Corrections must beat the
common model on every block, and on all of them together beyond chance, for several plans are tried (Bonferroni); of
those that do, the best on average is taken.
"""

import logging
from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from dropforge.contracts.errors import NotEnoughData
from dropforge.contracts.pipeline import Pipeline
from dropforge.ml import choose, score, serving
from dropforge.ml.choose import Choice
from dropforge.ml.paired import CONFIDENCE, Difference, difference
from dropforge.ml.personal.correction import Plan
from dropforge.ml.personal.learn import PARTS, common, material, numbers_of, offsets, personal
from dropforge.ml.rows import coded, columns_of, labels_of

log = logging.getLogger("train")

PLANS = (
    Plan("shift", 1.0),
    Plan("shift", 10.0),
    Plan("line", 3.0),
    Plan("features", 3.0),
    Plan("features", 30.0),
    Plan("features", 300.0),
)
_NAMES = ["common", *map(str, PLANS)]


@dataclass(frozen=True)
class Found:
    """The plan that is taken, if any, and the mean of the pipeline's metric over the blocks: without corrections as
    `common`, and with each plan."""

    plan: Plan | None
    tried: dict[str, float]


@dataclass(frozen=True)
class _Asked:
    """The labels of a block, and what is given for its rows: by the common model, and with each plan."""

    labels: NDArray[Any]
    given: list[NDArray[np.float64]]


def plan(pipeline: Pipeline, rows: pa.Table, chosen: Choice) -> Found:
    """What later rows say about corrections over the chosen recipe; nothing where they are too few to be asked."""
    outputs = len(np.unique(labels_of(rows))) if pipeline.label.task == "multiclass" else 1
    most = choose.most_rows(pipeline, outputs * (1 + PARTS))
    blocks = choose.later_blocks(pipeline, rows.slice(max(0, rows.num_rows - most)))
    try:
        asked = [_asked(pipeline, chosen, *block) for block in blocks]
    except NotEnoughData:
        return Found(None, {})
    if not asked:
        return Found(None, {})
    metric = pipeline.success.metric
    reached = np.array([[score.METRICS[metric](one.labels, given) for given in one.given] for one in asked])
    tried = {name: round(float(mean), 6) for name, mean in zip(_NAMES, reached.mean(axis=0), strict=True)}
    gains = [_gain(metric, asked, place) for place in range(1, len(_NAMES))]
    best = PLANS[int(np.argmax(gains))] if max(gains) > 0 else None
    log.info(f"{pipeline.pipeline}: corrections are {best or 'none'}.", extra={"fields": {"tried": tried}})
    return Found(best, tried)


def _gain(metric: str, asked: list[_Asked], place: int) -> float:
    """By how much the plan at this place is better than no corrections, on average; 0 where that may be chance."""
    found = [difference(metric, one.labels, one.given[place], one.given[0]) for one in asked]
    sure = [each for each in found if each is not None and each.estimate > 0]
    if len(sure) < len(found):
        return 0.0
    mean = sum(each.estimate for each in sure) / len(sure)
    error = sqrt(sum(each.error**2 for each in sure)) / len(sure)
    return mean if Difference(mean, error).low(1 - (1 - CONFIDENCE) / len(PLANS)) > 0 else 0.0


def _asked(pipeline: Pipeline, chosen: Choice, before: pa.Table, block: pa.Table) -> _Asked:
    """A block, and what is given for it by what the rows before it teach."""
    model = common(pipeline, before, chosen.kind, chosen.correction)
    numbers, classes = numbers_of(pipeline, before), serving.classes(model)
    given = material(pipeline, before, chosen.kind, chosen.correction, numbers, classes)
    every: list[Any] = [model]
    every += [personal(pipeline, model, numbers, offsets(pipeline, given, each)) for each in PLANS]
    labels = coded(labels_of(block), classes)
    return _Asked(labels, [serving.given(each, columns_of(block)) for each in every])


def corrected(pipeline: Pipeline, rows: pa.Table, chosen: Choice, taken: Plan, model: Any) -> Any:
    """The artefact: the common model of these rows, with the corrections that they give by this plan."""
    numbers = numbers_of(pipeline, rows)
    given = material(pipeline, rows, chosen.kind, chosen.correction, numbers, serving.classes(model))
    return personal(pipeline, model, numbers, offsets(pipeline, given, taken))
