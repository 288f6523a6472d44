"""A number that others nearly foretell: the temperature from dew point and humidity, the air time from the miles.

By least squares on at most three columns, chosen one after the other. A row breaks the relation where its value lies
farther from what is foretold than nearly all rows did before.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dropforge.core.relations.relation import Broken, Relation, has, kept, nothing
from dropforge.core.relations.rows import Rows, Values

MOST_PREDICTORS = 3
GAIN = 0.02  # of the variance, that a further predictor must explain
FORETOLD = 0.6  # of the variance, for a relation to be worth watching
OUTER = 0.005  # of the rows on either side lie outside what counts as usual ...
WIDENED = 1.0  # ... which is widened by so much of its width
CLIPPED = 8.0  # interquartile ranges beyond which a value does not pull the fit
Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class Fitted:
    """Coefficients (the constant last), and between which residuals nearly all rows lay."""

    coefficients: Values
    low: float
    high: float


def predicted(earlier: Sequence[Rows]) -> Iterator[Relation]:
    """For each column of numbers, what the others foretell of it, if they do."""
    names = [name for name in earlier[-1].quantities if all(name in rows.numbers for rows in earlier)]
    if len(names) < 2:
        return
    pooled = np.column_stack([_clipped(np.concatenate([rows.numbers[name] for rows in earlier])) for name in names])
    filled = ~np.isnan(pooled)
    complete = _correlated(pooled, filled)
    for at, name in enumerate(names):
        chosen = _predictors(at, pooled, complete)
        if chosen:
            yield _relation(name, [names[one] for one in chosen], earlier)


def _clipped(values: Values) -> Values:
    if np.isnan(values).all():
        return values
    low, middle, high = np.nanquantile(values, (0.25, 0.5, 0.75))
    reach = CLIPPED * max(high - low, 1e-9)
    return np.clip(values, middle - reach, middle + reach) if high > low else values


def _correlated(pooled: Matrix, filled: NDArray[np.bool_]) -> Matrix:
    """Correlations, empty values taken as the mean: only to choose by."""
    with np.errstate(invalid="ignore", divide="ignore"):
        means = np.where(filled.any(axis=0), np.nansum(pooled, axis=0) / np.maximum(filled.sum(axis=0), 1), 0.0)
        centred = np.where(filled, pooled - means, 0.0)
        covariance = centred.T @ centred
        scale = np.sqrt(np.diag(covariance))
        return np.asarray(np.nan_to_num(covariance / np.outer(scale, scale)), dtype=np.float64)


def _predictors(at: int, pooled: Matrix, correlations: Matrix) -> list[int]:
    """Columns by which the target is foretold, the best first."""
    others = [one for one in np.argsort(-np.abs(correlations[at]), kind="stable") if one != at][:12]
    chosen: list[int] = []
    reached = 0.0
    while len(chosen) < MOST_PREDICTORS:
        tried = [(_explained(at, [*chosen, one], pooled), int(one)) for one in others if one not in chosen]
        best = max(tried, default=(0.0, -1))
        if best[0] < reached + GAIN:
            break
        reached, chosen = best[0], [*chosen, best[1]]
    return chosen if reached >= FORETOLD else []


def _explained(at: int, chosen: Sequence[int], pooled: Matrix) -> float:
    used = pooled[:, [at, *chosen]]
    used = used[~np.isnan(used).any(axis=1)]
    if len(used) < 0.3 * len(pooled) or len(used) < 50:
        return 0.0
    total = float(np.var(used[:, 0]))
    if total <= 0:
        return 0.0
    left = used[:, 0] - _design(used[:, 1:]) @ _solve(used[:, 1:], used[:, 0])
    return 1 - float(np.mean(left**2)) / total


def _design(values: Matrix) -> Matrix:
    return np.column_stack([values, np.ones(len(values))])


def _solve(values: Matrix, target: Values) -> Values:
    return np.asarray(np.linalg.lstsq(_design(values), target, rcond=None)[0], dtype=np.float64)


def _relation(name: str, predictors: list[str], earlier: Sequence[Rows]) -> Relation:
    columns = (name, *predictors)
    parts = [_complete(rows, columns) for rows in earlier]
    whole = _fitted(parts)
    past = [
        _broken(rows, columns, _fitted([*parts[:at], *parts[at + 1 :]])) for at, rows in enumerate(earlier)
    ]  # fmt: skip
    says = f"{name!r} is about what {' and '.join(repr(one) for one in predictors)} foretell"
    return Relation("predicted", columns, says, lambda rows: _broken(rows, columns, whole), past)


def _complete(rows: Rows, columns: Sequence[str]) -> Matrix:
    both = kept(rows, columns)
    return np.column_stack([rows.numbers[name][both] for name in columns])


def _fitted(parts: Sequence[Matrix]) -> Fitted | None:
    used = np.concatenate(parts)
    if len(used) < 30:
        return None
    clipped = np.column_stack([_clipped(column) for column in used.T])
    coefficients = _solve(clipped[:, 1:], clipped[:, 0])
    left = used[:, 0] - _design(used[:, 1:]) @ coefficients
    low, high = np.quantile(left, (OUTER, 1 - OUTER))
    margin = WIDENED * (high - low) + 1e-9 * (1 + abs(high))
    return Fitted(coefficients, float(low - margin), float(high + margin))


def _broken(rows: Rows, columns: Sequence[str], fitted: Fitted | None) -> Broken:
    if fitted is None or not has(rows, columns) or any(name not in rows.numbers for name in columns):
        return nothing(rows)
    both = kept(rows, columns)
    values = np.column_stack([np.nan_to_num(rows.numbers[name]) for name in columns])
    left = values[:, 0] - _design(values[:, 1:]) @ fitted.coefficients
    return Broken(both, both & ((left < fitted.low) | (left > fitted.high)))
