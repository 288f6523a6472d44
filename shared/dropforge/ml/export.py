"""From a fitted pipeline to the compiled predictor, which may serve only if it agrees with scikit-learn."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression

from dropforge.core import compiled
from dropforge.core.compiled import Column, Compiled, Predictor, Trees
from dropforge.ml import linearised, serving
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
    expected = serving.probabilities(model, {name: [row[name] for row in instances] for name in columns})
    found = np.array(compiled.load(content, digest).predict(instances))
    largest = float(np.max(np.abs(found - expected), initial=0.0))
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
        NotCompilable: it is another pipeline, knows other than two classes, or has splits by category.
    """
    names = list(model.named_steps)
    last = model.named_steps.get("model")
    if not isinstance(model.steps[0][1], Encoder) or not isinstance(last, _COMPILED):
        wanted = ", ".join(kind.__name__ for kind in _COMPILED)
        raise NotCompilable(f"Expected an encoder before one of {wanted}. Found {names}: {last!r}.")
    if len(last.classes_) != 2:
        raise NotCompilable(f"Expected two classes. Found {len(last.classes_)}.")
    encoder = model.steps[0][1]
    if isinstance(last, DummyClassifier):
        return linearised.constant(model)
    if isinstance(last, LogisticRegression):
        last_rows = {name: values[-MOST_ROWS:] for name, values in columns.items()}
        return linearised.linear(model, _columns(encoder), last_rows)
    return Compiled(_columns(encoder), _trees(last))


_COMPILED = (HistGradientBoostingClassifier, LogisticRegression, DummyClassifier)


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


def _trees(booster: HistGradientBoostingClassifier) -> Trees:
    nodes = [predictor.nodes for (predictor,) in booster._predictors]
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
        baseline=float(booster._baseline_prediction.item()),
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
