"""From a fitted pipeline whose log-odds are a sum over features to the compiled form that is such a sum.

It asks the pipeline instead of reading its parts: a row in which all is missing, and each value of each feature alone
beside that row. So it knows nothing of how features are prepared; whatever is no sum of this form disagrees with the
pipeline on real rows, and is not let serve (`export.tried`).
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline as Steps

from dropforge.core.compiled import Column, Linear, Term

Floats = NDArray[np.float64]

# Parts of times, whose values are whole numbers, and which a model may take as categories or put on a circle.
_FEW = {
    "hour": range(24),
    "weekday": range(7),
    "month": range(1, 13),
    "minute_of_day": range(1440),
    "day_of_year": range(1, 367),
}


def constant(shares: Sequence[float]) -> list[Linear]:
    """Forms of a pipeline that answers these shares of classes, whatever is asked: of two, of the second's log-odds."""
    if len(shares) == 2:
        return [Linear([], [], math.log(shares[1] / (1 - shares[1])))]
    return [Linear([], [], math.log(share)) for share in shares]


def linear(model: Any, columns: Sequence[Column], rows: Mapping[str, Any]) -> list[Linear]:
    """The form of a pipeline of `Encoder`, any preparation by feature, and a linear model; of classes, one for each.

    `rows`, columns by name, say between which values a number is asked for, and what each feature adds on average.
    """
    matrix: Floats = model.named_steps["encode"].transform(rows)
    rest = Steps(model.steps[1:])
    probes = [_values(column, matrix[:, index]) for index, column in enumerate(columns)]
    asked = np.full((1 + sum(map(len, probes)), len(columns)), np.nan)
    at = 1
    for index, values in enumerate(probes):
        asked[at : at + len(values), index] = values
        at += len(values)
    numbers = not hasattr(rest, "decision_function")
    raw = rest.predict(asked) if numbers else rest.decision_function(asked)
    outputs = raw.reshape(len(asked), -1).T.tolist()
    return [_of_output(columns, probes, matrix, output, numbers) for output in outputs]


def _of_output(
    columns: Sequence[Column], probes: Sequence[list[float]], matrix: Floats, output: list[float], numbers: bool
) -> Linear:
    """The form of what the probes were answered: first where all is missing, then for each value of each feature."""
    intercept, *raw = output
    given = iter(raw)
    terms = [
        _term(column, values, [next(given) - intercept for _ in values], matrix[:, index])
        for index, (column, values) in enumerate(zip(columns, probes, strict=True))
    ]
    return Linear(columns, terms, intercept, numbers=numbers)


def _values(column: Column, seen: Floats) -> list[float]:
    """All values of a feature that has few; two of a number, as far apart as its values are."""
    if column.codes is not None:
        return sorted(column.codes.values())
    if column.part in _FEW:
        return [float(value) for value in _FEW[column.part]]
    known = seen[np.isfinite(seen)]
    low, high = (float(known.min()), float(known.max())) if known.size else (0.0, 1.0)
    return [low, high if high > low else low + 1.0]


def _term(column: Column, values: Sequence[float], adds: Sequence[float], seen: Floats) -> Term:
    if column.codes is not None or column.part in _FEW:
        term = Term(missing=0.0, mean=0.0, table=dict(zip(values, adds, strict=True)))
    else:
        slope = (adds[1] - adds[0]) / (values[1] - values[0])
        term = Term(missing=0.0, mean=0.0, at_zero=adds[0] - slope * values[0], slope=slope)
    mean = float(np.mean([term.adds(value) for value in seen.tolist()])) if seen.size else 0.0
    return Term(**{**term.__dict__, "mean": mean})
