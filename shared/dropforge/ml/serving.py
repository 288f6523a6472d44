"""From the instances of a request to probabilities: what a model server needs, and all that it imports."""

from collections.abc import Sequence
from typing import Any

import numpy as np


def predict(model: Any, instances: Sequence[dict[str, Any]]) -> list[float]:
    """The probability of the positive class for each instance, a JSON object of raw columns; an absent one is missing.

    Raises:
        RequestInvalid: a value cannot be read as its column's type; names the row and the column.
    """
    names = {name for instance in instances for name in instance}
    columns = {name: [instance.get(name) for instance in instances] for name in names}
    return probabilities(model, columns).tolist() if instances else []


def probabilities(model: Any, columns: Any) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """The probability of the positive class for each row of raw columns, shape (n_rows,)."""
    positive: np.ndarray[tuple[int], np.dtype[np.float64]] = model.predict_proba(columns)[:, 1]
    return positive
