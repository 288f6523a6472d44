"""From a fitted pipeline to the compiled predictor, which may serve only if it agrees with scikit-learn."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.linear_model import LogisticRegression, Ridge

from dropforge.core import compiled
from dropforge.core.compiled import Classes, Column, Compiled, Linear, Predictor, Trees
from dropforge.ml import linearised, serving
from dropforge.ml.calibrate import Corrected
from dropforge.ml.encoder import Encoder

TOLERANCE = 1e-6
MOST_ROWS = 10_000  # on which agreement is tried


@dataclass(frozen=True)
class Exported:
    """The compiled predictor's content and digest; or why there is none, and scikit-learn serves."""

    content: bytes | None
    digest: str | None
    reason: str
    largest_difference: float | None


def export(model: Any, columns: Mapping[str, Any]) -> Exported:
    """Compile a fitted pipeline and try it on rows, given as columns by name; the last `MOST_ROWS` of them count."""
    try:
        return tried(compile_(model, columns), model, columns)
    except NotCompilable as error:
        return Exported(None, None, str(error), None)


def tried(made: Predictor, model: Any, columns: Mapping[str, Any]) -> Exported:
    """What `made` and the pipeline that it comes from say of the same rows, and whether that may serve."""
    content, digest = compiled.dump(made)
    instances = _instances(columns)
    expected = serving.given(model, {name: [row[name] for row in instances] for name in columns})
    found = np.array(compiled.load(content, digest).predict(instances))
    scale = np.maximum(np.abs(expected), 1.0)  # of numbers, what is large may differ by more
    largest = float(np.max(np.abs(found - expected) / scale, initial=0.0))
    if not largest <= TOLERANCE:
        reason = (
            f"It differs from scikit-learn by up to {largest:.3g} on {len(instances)} rows; {TOLERANCE:g} is allowed."
        )
        return Exported(None, None, reason, largest)
    return Exported(content, digest, f"It agrees with scikit-learn on {len(instances)} rows.", largest)


class NotCompilable(Exception):
    """The pipeline holds something that has no compiled form; the message says what."""


def compile_(model: Any, columns: Mapping[str, Any]) -> Predictor:
    """The compiled form of a pipeline that begins with `Encoder`; `columns` are rows such as it was fitted on.

    Raises:
        NotCompilable: it is another pipeline, or has splits by category.
    """
    last = model.named_steps.get("model")
    slope, shift = 1.0, 0.0
    if isinstance(last, Corrected):
        slope, shift, last = last.slope, last.shift, last.model
    if not isinstance(model.steps[0][1], Encoder) or not isinstance(last, _COMPILED):
        wanted = ", ".join(kind.__name__ for kind in _COMPILED)
        raise NotCompilable(f"Expected an encoder before one of {wanted}. Found {list(model.named_steps)}: {last!r}.")
    if isinstance(last, DummyRegressor):
        return Linear([], [], float(last.constant_.item()), numbers=True)
    if isinstance(last, DummyClassifier):
        return _whole(model, linearised.constant(last.class_prior_.tolist()))
    encoder = model.steps[0][1]
    if isinstance(last, _LINEAR):
        last_rows = {name: values[-MOST_ROWS:] for name, values in columns.items()}
        return _whole(model, linearised.linear(model, _columns(encoder), last_rows))
    numbers = isinstance(last, HistGradientBoostingRegressor)
    return _whole(model, [Compiled(_columns(encoder), trees, numbers=numbers) for trees in _trees(last, slope, shift)])


_LINEAR = (LogisticRegression, Ridge)
_COMPILED = (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    *_LINEAR,
    DummyClassifier,
    DummyRegressor,
)


def _whole(model: Any, parts: list[Compiled] | list[Linear]) -> Predictor:
    """The parts as one predictor: of classes, where the pipeline knows them by name; else there is one part."""
    return Classes(parts) if serving.classes(model) else parts[0]


def _columns(encoder: Any) -> list[Column]:
    return [
        Column(
            each.name,
            each.column,
            each.kind,
            each.part,
            each.zone,
            encoder.codes_[each.column] if each.kind == "category" else None,
            bool(encoder.unseen_[index]),
        )
        for index, each in enumerate(encoder.inputs)
    ]


def _trees(booster: Any, slope: float, shift: float) -> list[Trees]:
    """The trees of each output: one for a probability or a number, and for more than two classes one each.

    A correction of the log-odds becomes part of the trees' values.
    """
    baselines = booster._baseline_prediction.ravel().tolist()
    return [
        _of_output([iteration[output].nodes for iteration in booster._predictors], slope * baseline + shift, slope)
        for output, baseline in enumerate(baselines)
    ]


def _of_output(nodes: list[Any], baseline: float, slope: float) -> Trees:
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
        value=(slope * every["value"]).tolist(),
        roots=roots.tolist(),
        baseline=baseline,
        cover=every["count"].tolist(),
    )


def _instances(columns: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The last rows as a request gives them, save that times stay times."""
    plain = {name: _plain(values) for name, values in columns.items()}
    return [dict(zip(plain, row, strict=True)) for row in zip(*plain.values(), strict=True)]


def _plain(values: Any) -> list[Any]:
    last = values[-MOST_ROWS:]
    for convert in ("to_pylist", "tolist"):
        if hasattr(last, convert):
            plain: list[Any] = getattr(last, convert)()
            return plain
    return list(last)
