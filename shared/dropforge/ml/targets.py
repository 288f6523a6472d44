"""Categories as what was seen of the label in their rows: target encoding.

Micci-Barreca, "A preprocessing scheme for high-cardinality categorical attributes", SIGKDD Explorations 3 (2001). A
category's mean is drawn towards the mean of all rows, the more the fewer rows it has. In fitting, a row is encoded by
the other parts of the data only, for its own label is in its category's mean (cross-fitting: Pargent et al.,
"Regularized target encoding outperforms traditional methods", Computational Statistics 37 (2022)). It departs from both
in that the parts are blocks of rows in their order, which is that of time.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_PARTS = 5
_WEIGHT = 20.0  # rows that the mean of all counts for


def means(values: Sequence[str | None], target: Floats, known: Sequence[str]) -> dict[str, float]:
    """The code of each of the `known` categories, from these rows."""
    overall = float(target.mean()) if len(target) else 0.0
    rows, totals = _summed(values, target)
    return {name: (totals.get(name, 0.0) + _WEIGHT * overall) / (rows.get(name, 0) + _WEIGHT) for name in known}


def crossed(values: Sequence[str | None], target: Floats, known: Sequence[str]) -> Floats:
    """For each row the code of its category from the other parts of the rows, shape (n_rows,); NaN if not known."""
    found = np.full(len(values), np.nan)
    for part in np.array_split(np.arange(len(values)), _PARTS):
        if len(part):
            start, end = int(part[0]), int(part[-1]) + 1
            others = [*values[:start], *values[end:]]
            codes = means(others, np.r_[target[:start], target[end:]], known)
            found[start:end] = [np.nan if value is None else codes.get(value, np.nan) for value in values[start:end]]
    return found


def _summed(values: Sequence[str | None], target: Floats) -> tuple[dict[str, int], dict[str, float]]:
    names, which = np.unique(np.array([value or "" for value in values], dtype=str), return_inverse=True)
    rows = np.bincount(which, minlength=len(names)).tolist()
    totals = np.bincount(which, weights=target, minlength=len(names)).tolist()
    return dict(zip(names.tolist(), rows, strict=True)), dict(zip(names.tolist(), totals, strict=True))
