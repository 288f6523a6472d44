"""How much a model leans on each column: what it loses when that column's values are dealt out anew."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from dropforge.ml import score, serving


def importance(
    model: Any,
    columns: Mapping[str, pa.ChunkedArray],
    labels: NDArray[Any],
    names: Sequence[str],
    metric: str,
    seed: int,
) -> dict[str, float]:
    """Column -> loss of the metric when it is permuted (Breiman, 2001), the largest first; positive is important.

    Columns that tell the same share their importance, so none of them need look important.
    """
    sign = 1 if score.HIGHER_IS_BETTER[metric] else -1
    measure = score.METRICS[metric]
    whole = measure(labels, serving.given(model, columns))
    dealt = pa.array(np.random.default_rng(seed).permutation(len(labels)))
    lost = {}
    for name in names:
        without = serving.given(model, {**columns, name: columns[name].take(dealt)})
        lost[name] = round(float(sign * (whole - measure(labels, without))), 6)
    return dict(sorted(lost.items(), key=lambda pair: -pair[1]))
