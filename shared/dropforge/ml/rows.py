"""Rows read by `core.dataset`, taken apart: what a model may read, the labels, and what a model gave for them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

LABEL = "__label__"
PROBABILITY = "__probability__"  # what the challenger gave for its holdout rows: probability, value, or one a class

WEIGHT = "__weight__"  # how much a row counts in training, where not all count alike


def labelled(rows: pa.Table) -> pa.Table:
    """The rows that have a label."""
    return rows.filter(rows[LABEL].is_valid())


def columns_of(rows: pa.Table) -> dict[str, pa.ChunkedArray]:
    """The columns of the pipeline's tables, by name."""
    return {name: rows[name] for name in rows.column_names if not name.startswith("_")}


def labels_of(rows: pa.Table) -> NDArray[Any]:
    """The labels of labelled rows, shape (n_rows,): 0 or 1, numbers, or names of classes."""
    column = rows[LABEL]
    if pa.types.is_string(column.type):
        return np.array(column.to_pylist(), dtype=str)
    labels: NDArray[Any] = column.to_numpy()
    return labels


def weights_of(rows: pa.Table) -> NDArray[np.float64] | None:
    """How much each row counts, shape (n_rows,); None where all count alike."""
    if WEIGHT not in rows.column_names:
        return None
    weights: NDArray[np.float64] = rows[WEIGHT].to_numpy()
    return weights


def coded(labels: NDArray[Any], classes: Sequence[str]) -> NDArray[Any]:
    """Names of classes as their places in `classes`, -1 where they have none; other labels as they are."""
    if not classes:
        return labels
    codes = {name: code for code, name in enumerate(classes)}
    return np.array([codes.get(name, -1) for name in labels.tolist()], dtype=np.int64)


def with_given(rows: pa.Table, given: NDArray[np.float64]) -> pa.Table:
    """The rows, and beside them what a model gave for each."""
    return rows.append_column(PROBABILITY, pa.array(given if given.ndim == 1 else given.tolist()))


def given_of(rows: pa.Table) -> NDArray[np.float64]:
    """What `with_given` put beside the rows."""
    column = rows[PROBABILITY]
    if pa.types.is_list(column.type):
        return np.array(column.to_pylist(), dtype=np.float64)
    given: NDArray[np.float64] = column.to_numpy()
    return given
