"""From raw columns to the matrix that a model reads: the first step of every artefact, in training and in serving.

Columns come as Arrow or NumPy arrays from training, and as lists of JSON values from a request; both give the same
numbers. Nothing here needs pandas or pyarrow.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin

from dropforge.contracts.errors import RequestInvalid
from dropforge.ml import targets
from dropforge.ml.timeparts import instants, part_of

Floats = NDArray[np.float64]

# Rarer values than these count as unknown, so that a column of user ids cannot make the artefact grow without bound.
MOST_CATEGORIES = 10_000


@dataclass(frozen=True)
class Input:
    """One feature: the column it is read from, and how. `part`, `zone` are for times only, `by_target` for categories.

    The encoder takes every kind but text, which is for `texts`.
    """

    name: str
    column: str
    kind: Literal["number", "category", "time", "text"]
    part: str = ""
    zone: str = ""
    by_target: bool = False


class Encoder(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn ships no types
    """Columns by name -> float64 matrix of shape (n_rows, n_features); NaN stands for missing and unknown.

    Categories become the rank of their name among those seen in fitting, or, `by_target`, the mean label of their rows.
    On the flights, ranks beat one-hot, target encoding and the booster's own categorical splits out of sample, and they
    have no limit of 255 values; elsewhere another may, and `choose` tries.
    """

    def __init__(self, inputs: Sequence[Input]) -> None:
        self.inputs = inputs

    def fit(self, columns: Mapping[str, Any], y: Any = None) -> Self:
        """Learn the codes of each category column, and which features have no value in any row."""
        self.codes_ = {each.column: _codes(each, columns, y) for each in self.inputs if each.kind == "category"}
        self.unseen_ = np.zeros(len(self.inputs), dtype=bool)
        self.unseen_ = np.isnan(self.transform(columns)).all(axis=0)
        return self

    def fit_transform(self, columns: Mapping[str, Any], y: Any = None) -> Floats:
        """Learn from rows and encode them, each by the labels of others only where codes are made of labels."""
        matrix = self.fit(columns, y).transform(columns)
        for index, each in enumerate(self.inputs):
            if each.by_target and each.column in columns and not self.unseen_[index]:
                known = list(self.codes_[each.column])
                matrix[:, index] = targets.crossed(_names(columns[each.column]), np.asarray(y, dtype=float), known)
        return matrix

    def transform(self, columns: Mapping[str, Any]) -> Floats:
        """Encode; a column that is absent is missing in every row.

        A feature that had no value in fitting is 0 in every row: the booster cannot bin a column of nothing, and
        values of which nothing was learned must not move a prediction.

        Raises:
            RequestInvalid: a value cannot be read as its column's type; names the row and the column.
        """
        rows = max((len(values) for values in columns.values()), default=0)
        matrix = np.full((rows, len(self.inputs)), np.nan)
        for index, each in enumerate(self.inputs):
            if each.column in columns:
                matrix[:, index] = self._encode(each, columns[each.column])
        matrix[:, self.unseen_] = 0.0
        return matrix

    def _encode(self, each: Input, values: Any) -> Floats:
        if each.kind == "category":
            codes = self.codes_[each.column]
            return np.array([_code(codes, value) for value in plain(values)], dtype=np.float64)
        if each.kind == "number":
            return _numbers(values, each.column)
        return part_of(instants(values, each.column), each.part, each.zone)


def plain(values: Any) -> Iterable[object]:
    """Python objects; iterating over an Arrow or NumPy array yields slow wrappers instead."""
    for convert in ("to_pylist", "tolist"):
        if hasattr(values, convert):
            plain: Iterable[object] = getattr(values, convert)()
            return plain
    given: Iterable[object] = values
    return given


def _code(codes: dict[str, float], value: object) -> float:
    return np.nan if value is None else codes.get(str(value), np.nan)


def _codes(each: Input, columns: Mapping[str, Any], y: Any) -> dict[str, float]:
    ranks = _ranks(columns.get(each.column, ()))
    if not each.by_target or each.column not in columns:
        return ranks
    return targets.means(_names(columns[each.column]), np.asarray(y, dtype=float), list(ranks))


def _names(values: Any) -> list[str | None]:
    return [None if value is None else str(value) for value in plain(values)]


def _ranks(values: Any) -> dict[str, float]:
    counts = Counter(str(value) for value in plain(values) if value is not None)
    often = sorted(counts, key=lambda name: (-counts[name], name))[:MOST_CATEGORIES]
    return {name: float(rank) for rank, name in enumerate(sorted(often))}


def _numbers(values: Any, column: str) -> Floats:
    if hasattr(values, "to_numpy"):  # Arrow: a null becomes NaN
        values = values.to_numpy(zero_copy_only=False)
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        return np.array([_number(value, row, column) for row, value in enumerate(values)], dtype=np.float64)


def _number(value: object, row: int, column: str) -> float:
    if value is None:
        return np.nan
    try:
        return float(value)  # type: ignore[arg-type]  # what float() does not take is the error below
    except (TypeError, ValueError):
        raise RequestInvalid(
            f"Row {row}, column {column!r}: expected a number. Found {value!r}.", row=row, column=column
        ) from None
