"""What a model says before it becomes an answer: log-odds, a number, or a score of each class."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dropforge.contracts.outcomes import Task

Floats = NDArray[np.float64]

_CERTAIN = 1e-12  # a share nearer to 0 counts as this near


def raw(model: Any, columns: Any) -> Floats:
    """Of a fitted pipeline and raw columns, shape (n_rows, n_outputs); of one or two classes there is one output."""
    if hasattr(model, "decision_function"):
        found: Floats = model.decision_function(columns)
    elif hasattr(model, "predict_proba"):  # a constant
        shares = np.log(np.clip(model.predict_proba(columns), _CERTAIN, 1.0))
        found = shares[:, 1] - shares[:, 0] if shares.shape[1] == 2 else shares
    else:
        found = np.asarray(model.predict(columns), dtype=np.float64)
    return found.reshape(len(found), -1)


def residuals(task: Task, scores: Floats, labels: NDArray[Any], scale: float) -> Floats:
    """The slope of the loss at these scores, shape (n_rows, n_outputs): what is answered less what was so.

    `labels` are numbers, 0 and 1, or places of classes; `scale` is the variance that squared errors are measured by.
    """
    if task == "regression":
        away: Floats = (scores - labels[:, None]) / scale
        return away
    found = shares(scores)
    if scores.shape[1] == 1:
        found[:, 1] -= labels
        return found[:, 1:]
    found[np.arange(len(labels)), labels] -= 1.0
    return found


def loss(task: Task, scores: Floats, labels: NDArray[Any], scale: float) -> float:
    """The sum over rows of the negative logarithm of the likelihood, but for a constant."""
    if task == "regression":
        return float(np.sum((scores[:, 0] - labels) ** 2) / (2 * scale))
    if scores.shape[1] == 1:
        return float(np.sum(np.logaddexp(0.0, scores[:, 0]) - labels * scores[:, 0]))
    most = scores.max(axis=1, keepdims=True)
    whole = most[:, 0] + np.log(np.exp(scores - most).sum(axis=1))
    return float(np.sum(whole - scores[np.arange(len(labels)), labels]))


def shares(scores: Floats) -> Floats:
    """Probabilities of the classes, shape (n_rows, n_classes): the logistic function of one score, else the softmax."""
    if scores.shape[1] == 1:
        yes = 1 / (1 + np.exp(-scores[:, 0]))
        return np.column_stack([1 - yes, yes])
    grown = np.exp(scores - scores.max(axis=1, keepdims=True))
    found: Floats = grown / grown.sum(axis=1, keepdims=True)
    return found
