"""What was asked of a pipeline lately, by its log of predictions: how much, how often the same, and how fast."""

import json
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dropforge.contracts import logged
from dropforge.contracts.models import Field
from dropforge.core.logged import tables
from dropforge.core.ports import Objects
from dropforge.core.serving.identity import Identity


@dataclass(frozen=True)
class Traffic:
    """Rows that were asked for, in the order of their chunks: the name of each, and some rows themselves.

    `seconds` lie between the first and the last.
    """

    names: list[bytes]
    examples: list[dict[str, Any]]
    seconds: float

    @property
    def distinct(self) -> int:
        """How many different rows: the cardinality."""
        return len(set(self.names))

    def share_of_commonest(self, part: float) -> float:
        """The share of the questions that this part of the different rows gets: the peakedness. Of even traffic, about
        `part` itself; 1.0 where nothing else is asked."""
        counts = sorted(Counter(self.names).values(), reverse=True)
        return sum(counts[: max(1, round(part * len(counts)))]) / len(self.names)

    @property
    def a_second(self) -> float:
        """Rows a second, on average."""
        return len(self.names) / max(self.seconds, 1.0)


def read(state: Objects, pipeline: str, signature: list[Field], most: int, examples: int = 200) -> Traffic | None:
    """The newest rows in the log, at least `most` where there are so many; None where nothing is logged."""
    identity = Identity("features", signature)
    names: list[bytes] = []
    rows: list[dict[str, Any]] = []
    moments: list[datetime] = []
    for info in sorted(state.list(logged.predictions(pipeline)), key=lambda info: info.updated, reverse=True):
        table = tables.read(state, info.name)
        for text in table["instance"].to_pylist():
            row = json.loads(text)
            names.append(identity.of(row))
            if len(rows) < examples:
                rows.append(row)
        moments += table["at"].to_pylist()
        if len(names) >= most:
            break
    if not names:
        return None
    return Traffic(names, rows, (max(moments) - min(moments)).total_seconds())
