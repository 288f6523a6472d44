"""What was asked of a pipeline lately, by its log of predictions: how much, how often the same, and how fast."""

import json
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dropforge.contracts import logged
from dropforge.contracts.instances import Signature
from dropforge.contracts.models import Field
from dropforge.core.logged import tables
from dropforge.core.ports import Objects
from dropforge.core.serving.identity import Identity


@dataclass(frozen=True)
class Traffic:
    """Rows that were asked for, in the order of their chunks: the name of each, and some rows themselves.

    `seconds` lie between the first and the last. `left_out` more, such as keys, are no rows that the model takes.
    """

    names: list[bytes]
    examples: list[dict[str, Any]]
    seconds: float
    left_out: int = 0

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
    identity, takes = Identity("features", signature), Signature(signature)
    names: list[bytes] = []
    rows: list[dict[str, Any]] = []
    moments: list[datetime] = []
    left_out = 0
    for info in sorted(state.list(logged.predictions(pipeline)), key=lambda info: info.updated, reverse=True):
        table = tables.read(state, info.name)
        for text, at in zip(table["instance"].to_pylist(), table["at"].to_pylist(), strict=True):
            row = json.loads(text)
            if not takes.fits(row):
                left_out += 1
                continue
            names.append(identity.of(row))
            moments.append(at)
            if len(rows) < examples:
                rows.append(row)
        if len(names) + left_out >= most:
            break
    if not names and not left_out:
        return None
    return Traffic(names, rows, (max(moments) - min(moments)).total_seconds() if names else 0.0, left_out)
