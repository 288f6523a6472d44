"""What a prediction is made of: how much each column of the request moved it."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Explanation:
    """`raw` is `base`, what is expected of any row, and what columns add.

    It is the log-odds of an answer, its number, or the score of its class.

    Features that are derived from one column (the hour and the weekday of a time) count as that column.
    """

    base: float
    raw: float
    contributions: Mapping[str, float]

    def negated(self) -> "Explanation":
        """Of the other of two classes."""
        return Explanation(-self.base, -self.raw, {name: -value for name, value in self.contributions.items()})
