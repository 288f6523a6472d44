"""From the instances of a request to what a model gives for them: what a model server needs, and all that it imports.

Of a binary model that is the probability of the positive class, of a regression the value, both of shape (n_rows,); of
one that tells classes apart, the probability of each class, of shape (n_rows, n_classes).
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


def predict(model: Any, instances: Sequence[dict[str, Any]]) -> list[Any]:
    """What it gives for each instance, a JSON object of raw columns; an absent one is missing.

    Raises:
        RequestInvalid: a value cannot be read as its column's type; names the row and the column.
    """
    names = {name for instance in instances for name in instance}
    columns = {name: [instance.get(name) for instance in instances] for name in names}
    return given(model, columns).tolist() if instances else []


def given(model: Any, columns: Any) -> NDArray[np.float64]:
    """What it gives for each row of raw columns."""
    if not hasattr(model, "predict_proba"):
        return np.asarray(model.predict(columns), dtype=np.float64)
    probabilities: NDArray[np.float64] = model.predict_proba(columns)
    return probabilities if classes(model) else probabilities[:, 1]


def classes(model: Any) -> list[str]:
    """The names of the classes that a model tells apart; none where it predicts yes or no, or a number."""
    known = getattr(model, "classes_", None)
    return known.tolist() if known is not None and known.dtype.kind == "U" else []
