"""One entity's correction of the common score, drawn towards none: the mode of its posterior.

The ridge penalty is the precision of a normal prior around zero. An entity with few rows stays near the
common model, and one with many departs from it as far as its rows say (Morris, "Parametric empirical Bayes inference",
JASA 78 (1983)); how strong the prior is, is learned from later rows of all entities (`choose`).
"""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from dropforge.contracts.outcomes import Task
from dropforge.core.compiled import Offsets
from dropforge.ml.personal.raw import loss, residuals

Floats = NDArray[np.float64]
Reach = Literal["shift", "line", "features"]

LINE_ROWS, FEATURE_ROWS = 50, 100  # of an entity, before it has a slope, or weights of features, of its own
_MOST_STEPS = 200


@dataclass(frozen=True)
class Plan:
    """How far a correction reaches, and how strongly it is drawn to zero.

    `shift`: one number for each output. `line`: also a slope of the common score. `features`: also a weight of each
    numeric feature for each output.
    """

    reach: Reach
    penalty: float

    def __str__(self) -> str:
        return f"{self.reach}/{self.penalty:g}"


@dataclass(frozen=True)
class Rows:
    """Rows of one entity: common scores (n_rows, n_outputs) that the rows had no part in, scaled numeric features
    (n_rows, n_numbers), and labels as `raw.loss` takes them."""

    scores: Floats
    numbers: Floats
    labels: NDArray[Any]


def fitted(task: Task, rows: Rows, plan: Plan, scale: float) -> Offsets:
    """The correction of an entity, found by L-BFGS from zero; `scale` is that of `raw.loss`.

    The loss is convex and the start fixed, so the same rows give the same numbers.
    """
    count, outputs = rows.scores.shape
    lined = plan.reach != "shift" and count >= LINE_ROWS
    width = rows.numbers.shape[1] if plan.reach == "features" and count >= FEATURE_ROWS else 0
    numbers = rows.numbers[:, :width]

    def at(values: Floats) -> tuple[float, Floats]:
        slope, shifts, weights = values[0], values[1 : 1 + outputs], values[1 + outputs :].reshape(outputs, width)
        moved = (1 + slope) * rows.scores + shifts + numbers @ weights.T
        slopes = residuals(task, moved, rows.labels, scale)
        toward = [np.sum(slopes * rows.scores) if lined else 0.0]
        gradient = np.concatenate([toward, slopes.sum(axis=0), (slopes.T @ numbers).ravel()]) + plan.penalty * values
        return loss(task, moved, rows.labels, scale) + plan.penalty / 2 * float(values @ values), gradient

    found = minimize(
        at, np.zeros(1 + outputs + outputs * width), jac=True, method="L-BFGS-B", options={"maxiter": _MOST_STEPS}
    ).x
    weights = found[1 + outputs :].reshape(outputs, width)
    return Offsets(float(found[0]), found[1 : 1 + outputs].tolist(), weights.tolist() if width else [])


def moved(scores: Floats, numbers: Floats, offsets: Offsets) -> Floats:
    """The scores after a correction, computed as `core.compiled.Personal` does."""
    found: Floats = scores + offsets.slope * scores + np.array(offsets.shifts)
    if offsets.weights:
        found += numbers @ np.array(offsets.weights).T
    return found
