"""Parts of times on a circle: the last minute of a day is next to the first."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin

PERIODS = {"minute_of_day": 1440.0, "day_of_year": 365.25}


class Circle(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn ships no types
    """Matrix of shape (n_rows, n_features) -> sine and cosine of each column over its period; 0 and 0 where missing."""

    def __init__(self, periods: Sequence[float]) -> None:
        self.periods = periods

    def fit(self, matrix: NDArray[np.float64], y: object = None) -> Self:  # noqa: ARG002  # scikit-learn passes it
        """There is nothing to learn."""
        self.n_features_in_ = len(self.periods)
        return self

    def transform(self, matrix: Any) -> NDArray[np.float64]:
        """Turn each column into two."""
        angles = 2 * np.pi * np.asarray(matrix, dtype=np.float64) / np.array(self.periods)
        circle: NDArray[np.float64] = np.nan_to_num(np.hstack([np.sin(angles), np.cos(angles)]), nan=0.0)
        return circle
