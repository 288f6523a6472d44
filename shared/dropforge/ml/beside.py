"""What a challenger and the champion gave for the same rows, brought side by side."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from dropforge.contracts.models import Candidate
from dropforge.ml import serving
from dropforge.ml.judgement import Holdout
from dropforge.ml.rows import coded, columns_of, labels_of

Floats = NDArray[np.float64]


def holdout(
    rows: pa.Table,
    by: Sequence[str],
    candidate: Candidate,
    given: Floats,
    champion: Any | None,
    champion_slices: Mapping[str, int],
) -> Holdout:
    """Labelled rows, what a candidate has given for them, and what the champion's model gives.

    The two may know other classes, of which new ones come and old ones go: to a class that it does not know a model
    gives 0.
    """
    theirs = serving.classes(champion) if champion is not None else []
    classes = [*candidate.classes, *(name for name in theirs if name not in candidate.classes)]
    answered = None if champion is None else serving.given(champion, columns_of(rows))
    return Holdout(
        labels=coded(labels_of(rows), classes),
        columns={column: rows[column].to_pylist() for column in by},
        challenger=_spread(given, candidate.classes, classes),
        champion=None if answered is None else _spread(answered, theirs, classes),
        champion_slices=champion_slices,
        numbers=candidate.task == "regression",
    )


def _spread(given: Floats, known: Sequence[str], classes: Sequence[str]) -> Floats:
    """The columns of `known` at their places among `classes`."""
    if given.ndim == 1:
        return given
    spread = np.zeros((len(given), len(classes)))
    spread[:, [classes.index(name) for name in known]] = given
    return spread
