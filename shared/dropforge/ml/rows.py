"""Rows read by `core.dataset`, taken apart: what a model may read, and the labels."""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

LABEL = "__label__"
PROBABILITY = "__probability__"  # of the challenger, beside its holdout rows


def labelled(rows: pa.Table) -> pa.Table:
    """The rows that have a label."""
    return rows.filter(rows[LABEL].is_valid())


def columns_of(rows: pa.Table) -> dict[str, pa.ChunkedArray]:
    """The columns of the pipeline's tables, by name."""
    return {name: rows[name] for name in rows.column_names if not name.startswith("_")}


def labels_of(rows: pa.Table) -> NDArray[np.int8]:
    """The labels, 0 or 1, shape (n_rows,)."""
    labels: NDArray[np.int8] = rows[LABEL].to_numpy()
    return labels
