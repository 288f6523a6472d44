"""What the judge is given and what it says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from dropforge.contracts.pipeline import Success
from dropforge.contracts.verdicts import Comparison, Reason
from dropforge.ml.paired import Difference


@dataclass(frozen=True)
class Holdout:
    """Rows that neither model has trained on: labels (n_rows,), the slices' columns, and what each model gave.

    Of classes, the labels are codes and what was given has the shape (n_rows, n_classes). `numbers`: what was given are
    numbers, not probabilities. `champion_slices` tells how many rows each slice had when the champion was judged.
    """

    labels: NDArray[Any]
    columns: Mapping[str, Sequence[object]]
    challenger: NDArray[np.float64]
    champion: NDArray[np.float64] | None = None
    champion_slices: Mapping[str, int] = field(default_factory=dict)
    numbers: bool = False


@dataclass
class Judgement:
    """`reasons` are all that speaks against it, and what is worth knowing besides; `comparisons` what was measured."""

    passed: bool = True
    refused: bool = False
    reasons: list[Reason] = field(default_factory=list)
    comparisons: list[Comparison] = field(default_factory=list)

    def note(self, code: str, subject: str, observed: object, expected: object, sentence: str) -> None:
        """Add a reason that speaks for it, or is only worth knowing."""
        values = {"observed": _short(observed), "expected": _short(expected)}
        self.reasons.append(Reason(code=code, subject=subject, sentence=sentence, **values))

    def refuse(self, code: str, subject: str, observed: object, expected: object, sentence: str) -> None:
        """Add a reason against it."""
        self.passed = False
        self.refused = True
        self.note(code, subject, observed, expected, sentence)

    def doubt(self, code: str, why: str, subject: str, observed: object, expected: object, sentence: str) -> None:
        """Add a reason why nothing can be decided."""
        self.passed = False
        self.note(code, subject, observed, expected, f"{sentence} {why}")

    @property
    def status(self) -> Literal["published", "refused", "undecided"]:
        """The verdict: what is only doubted is undecided."""
        if self.passed:
            return "published"
        return "refused" if self.refused else "undecided"

    def compare(
        self,
        success: Success,
        name: str,
        rows: int,
        challenger: float,
        champion: float | None,
        found: Difference | None,
        passed: bool,
    ) -> None:
        """Add a measured comparison; an undefined metric is not one."""
        if np.isnan(challenger) or (champion is not None and np.isnan(champion)):
            return
        self.comparisons.append(
            Comparison(
                metric=success.metric,
                slice=name,
                rows=rows,
                challenger=challenger,
                champion=champion,
                passed=passed,
                difference=None if found is None else found.estimate,
                error=None if found is None else found.error,
            )
        )


def _short(value: object) -> object:
    """Numbers as a person wants them; JSON has no NaN."""
    if not isinstance(value, float):
        return value
    return None if np.isnan(value) else round(value, 6)
