"""Seconds, counted in buckets that each reach a fifth further than the one before."""

from collections.abc import Sequence
from math import ceil, log2

BUCKETS = 64
_FIRST = 0.0005  # seconds; the first bucket ends there, the last but one at about half a minute
_PER_DOUBLING = 4


def bucket(seconds: float) -> int:
    """The bucket of a duration.

    >>> [bucket(seconds) for seconds in (0.0001, 0.0005, 0.001, 3600)]
    [0, 0, 4, 63]
    """
    return 0 if seconds <= _FIRST else min(BUCKETS - 1, ceil(_PER_DOUBLING * log2(seconds / _FIRST)))


def bound(index: int) -> float:
    """The longest duration of a bucket, in seconds; the last one has no real end."""
    return float(_FIRST * 2 ** (index / _PER_DOUBLING))


def quantile(counts: Sequence[int], share: float) -> int:
    """The first bucket below or in which at least `share` of the durations lie.

    >>> quantile([90, 4, 6], 0.95)
    2
    """
    needed, seen = share * sum(counts), 0
    for index, count in enumerate(counts):
        seen += count
        if seen >= needed:
            return index
    return len(counts) - 1
