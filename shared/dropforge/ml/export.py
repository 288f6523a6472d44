"""From a fitted pipeline to the compiled predictor, which may serve only if it agrees with scikit-learn."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.linear_model import LogisticRegression, Ridge

from dropforge.core import compiled
from dropforge.core.compiled import Classes, Column, Compiled, Linear, Personal, Predictor
from dropforge.ml import flattened, linearised, serving
from dropforge.ml.calibrate import Corrected
from dropforge.ml.encoder import Encoder
from dropforge.ml.flattened import NotCompilable
from dropforge.ml.personal.model import PersonalClasses, PersonalNumbers
from dropforge.ml.updating import AddedNumbers, AddedOdds

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


def compile_(model: Any, columns: Mapping[str, Any]) -> Predictor:
    """The compiled form of a pipeline that begins with `Encoder`; `columns` are rows such as it was fitted on.

    Raises:
        NotCompilable: it is another pipeline, or has splits by category.
    """
    if isinstance(model, PersonalNumbers | PersonalClasses):
        return _personal(model, columns)
    return _common(model, columns)


def _personal(model: Any, columns: Mapping[str, Any]) -> Personal:
    numbers = model.numbers
    common = _common(model.common, columns)
    return Personal(common, model.column, _columns(numbers.encoder), numbers.scales_, model.entities)


def _common(model: Any, columns: Mapping[str, Any]) -> Compiled | Linear | Classes:
    last = model.named_steps.get("model")
    made, last = last, _innermost(last)
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
    return _whole(model, [Compiled(_columns(encoder), trees, numbers=numbers) for trees in flattened.trees(made)])


_LINEAR = (LogisticRegression, Ridge)
_COMPILED = (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    *_LINEAR,
    DummyClassifier,
    DummyRegressor,
)


def _whole(model: Any, parts: list[Compiled] | list[Linear]) -> Compiled | Linear | Classes:
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


def _innermost(model: Any) -> Any:
    """The model below its correction and the updates on top of it."""
    while isinstance(model, Corrected | AddedOdds | AddedNumbers):
        model = model.model
    return model


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
