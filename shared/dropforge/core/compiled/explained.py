"""What a prediction is made of: how much each column of the request moved it."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Explanation:
    """`raw`, the log-odds of an answer or its number, is `base`, what is expected of any row, and what columns add.

    Features that are derived from one column (the hour and the weekday of a time) count as that column.
    """

    base: float
    raw: float
    contributions: Mapping[str, float]
