"""The rehearsal: a model that is deployed, and serves nobody yet, must answer the holdout as it did in training."""

import math
from typing import Any

import numpy as np
import pyarrow as pa

from dropforge.contracts.errors import ServiceUnavailable
from dropforge.contracts.models import Candidate
from dropforge.contracts.outcomes import Given
from dropforge.contracts.verdicts import Reason
from dropforge.core.ports import Deployed, Platform
from dropforge.ml.rows import PROBABILITY

# How many rows are asked about, and how closely the answers must agree.
_ASKED = 200
_TOLERANCE = 1e-9


def disagreement(candidate: Candidate, deployed: Deployed, rows: pa.Table, platform: Platform) -> Reason | None:
    """Ask the deployed model about some of the holdout rows; a reason where an answer is not that of training."""
    sample = rows.take(np.unique(np.linspace(0, rows.num_rows - 1, _ASKED).astype(np.int64)))
    answers = platform.answer(deployed, instances(candidate, sample))
    given = [_given(candidate, answer) for answer in answers]
    expected = sample[PROBABILITY].to_pylist()
    wrong = [
        (index, answer, wanted)
        for index, (answer, wanted) in enumerate(zip(given, expected, strict=True))
        if not _agree(answer, wanted)
    ]
    if not wrong:
        return None
    _, answer, wanted = wrong[0]
    return Reason(
        code="server_disagrees",
        subject=deployed.deployed_model_id,
        observed=answer if candidate.outcome.sound(answer) else None,
        expected=wanted,
        sentence=f"The deployed model answers {len(wrong)} of {len(given)} holdout rows otherwise than in training, "
        f"the first with {answer!r} instead of {wanted!r}.",
    )


def instances(candidate: Candidate, rows: pa.Table) -> list[dict[str, object]]:
    """Rows as a prediction request gives them: JSON values of the signature's fields."""
    plain = rows.select([field.name for field in candidate.signature]).to_pylist()
    return [{name: _json(value) for name, value in row.items()} for row in plain]


def _json(value: Any) -> object:
    if isinstance(value, float) and math.isnan(value):
        return None
    return value.isoformat() if hasattr(value, "isoformat") else value


def _given(candidate: Candidate, answer: object) -> Given:
    try:
        return candidate.outcome.given(answer)
    except ValueError as error:
        raise ServiceUnavailable(f"The deployed model gives no {candidate.task} answer. {error}") from None


def _agree(answer: Given, wanted: Given) -> bool:
    """Also where a number is large: its doubles lie further apart."""
    closely = np.isclose(answer, wanted, rtol=_TOLERANCE, atol=_TOLERANCE)
    return bool(np.all(closely))
