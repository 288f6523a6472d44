"""Entities whose rows repeat, kept apart: a model is judged on speakers or shops that it has not learned from.

Where one entity has many rows, a model can know it instead of knowing what it is asked; on its later rows that looks
like skill (Roberts et al., "Cross-validation strategies for data with temporal, spatial, hierarchical, or phylogenetic
structure", Ecography 40 (2017)). So each entity belongs to one of `PARTS` for good, by a hash of its name: every
training of a pipeline holds back the same ones, and a champion has not seen what its challenger is judged on.
"""

from hashlib import sha256

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from dropforge.contracts.pipeline import Pipeline

PARTS = 5
HOLDOUT = 0  # the part whose entities are judged on, and never trained on

Mask = NDArray[np.bool_]


def apart(pipeline: Pipeline, rows: pa.Table, before: Mask, after: Mask, part: int) -> tuple[Mask, Mask]:
    """Of two sets of rows, the first without the entities of a part, the second with these only.

    Both as they are where the pipeline has no `group`. A row without a value is an entity by itself: `(none)`.
    """
    if pipeline.training.group is None:
        return before, after
    inside = parts(rows[pipeline.training.group]) == part
    return before & ~inside, after & inside


def parts(values: pa.ChunkedArray) -> NDArray[np.int64]:
    """The part of each value's entity, shape (n_rows,)."""
    codes = values.combine_chunks().dictionary_encode()
    named = [_part(name) for name in codes.dictionary.to_pylist()]
    which = np.asarray(codes.indices.fill_null(len(named)))
    return np.array([*named, _part(None)], dtype=np.int64)[which]


def _part(name: object) -> int:
    said = "(none)" if name is None else str(name)
    return int.from_bytes(sha256(said.encode()).digest()[:8]) % PARTS
