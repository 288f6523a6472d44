"""The trees of a boosted model, of its correction and of what was put on top of it, as the compiled form has them."""

import math
from dataclasses import replace
from typing import Any

import numpy as np

from dropforge.core.compiled import Trees
from dropforge.ml.calibrate import Corrected
from dropforge.ml.updating import AddedNumbers, AddedOdds


class NotCompilable(Exception):
    """The pipeline holds something that has no compiled form; the message says what."""


def trees(model: Any) -> list[Trees]:
    """The trees of each output: one for a probability or a number, and for more than two classes one each.

    A correction of the log-odds becomes part of the trees' values, and an update is more trees.

    Raises:
        NotCompilable: it has splits by category.
    """
    if isinstance(model, Corrected):
        return [_scaled(each, model.slope, model.shift) for each in trees(model.model)]
    if isinstance(model, AddedOdds | AddedNumbers):
        (below,), (above,) = trees(model.model), trees(model.more)
        return [_together(below, above)]
    baselines = model._baseline_prediction.ravel().tolist()
    return [
        _of_output([iteration[output].nodes for iteration in model._predictors], baseline)
        for output, baseline in enumerate(baselines)
    ]


def _scaled(one: Trees, slope: float, shift: float) -> Trees:
    return replace(one, value=[slope * value for value in one.value], baseline=slope * one.baseline + shift)


def _together(below: Trees, above: Trees) -> Trees:
    """Both sets of trees as one: nodes are counted on."""
    first = len(below.feature)
    return Trees(
        feature=[*below.feature, *above.feature],
        threshold=[*below.threshold, *above.threshold],
        missing_left=[*below.missing_left, *above.missing_left],
        left=[*below.left, *(node + first if node else 0 for node in above.left)],
        right=[*below.right, *(node + first if node else 0 for node in above.right)],
        value=[*below.value, *above.value],
        roots=[*below.roots, *(root + first for root in above.roots)],
        baseline=below.baseline + above.baseline,
        cover=[*below.cover, *above.cover],
    )


def _of_output(nodes: list[Any], baseline: float) -> Trees:
    sizes = np.array([len(tree) for tree in nodes])
    roots = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    every = np.concatenate(nodes)
    inner = every["is_leaf"] == 0
    if np.any(every["is_categorical"][inner]):
        raise NotCompilable("Expected splits by numbers only. Found splits by category.")
    first = np.repeat(roots, sizes)
    return Trees(
        feature=every["feature_idx"].tolist(),
        threshold=[value if math.isfinite(value) else None for value in every["num_threshold"].tolist()],
        missing_left=every["missing_go_to_left"].astype(bool).tolist(),
        left=np.where(inner, every["left"] + first, 0).tolist(),
        right=np.where(inner, every["right"] + first, 0).tolist(),
        value=every["value"].tolist(),
        roots=roots.tolist(),
        baseline=baseline,
        cover=every["count"].tolist(),
    )
