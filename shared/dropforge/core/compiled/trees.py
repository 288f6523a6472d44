"""An encoder and boosted trees as plain numbers: exactly what scikit-learn answers, for it compares and adds the same
doubles in the same order.

Why plain Python: on 100 trees of 31 leaves a row takes 0.03 ms, however many there are, and a quarter of that once the
trees are functions (`hasten`). A scikit-learn pipeline takes about 2 ms for one, and its price for a row falls below
that of walking at some hundred rows; walking the trees with NumPy, all rows at once, breaks even at a thousand
(`tests/benchmarks/serving` measures it).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any, Self

from dropforge.core.compiled import generated
from dropforge.core.compiled.columns import Column, Encoding
from dropforge.core.compiled.explained import Explanation
from dropforge.core.compiled.shapley import Shapley


@dataclass(frozen=True)
class Trees:
    """All trees, node after node; `roots` are their first nodes. A leaf's `left` is 0, which is no node's child.

    A row goes left where its value is at most the threshold, and where it is missing and `missing_left` is set. A
    threshold of None is infinite: only what is missing goes right. `cover` is how many rows of training came to a node;
    it is empty in a form that was compiled before answers were explained.
    """

    feature: list[int]
    threshold: list[float | None]
    missing_left: list[bool]
    left: list[int]
    right: list[int]
    value: list[float]
    roots: list[int]
    baseline: float
    cover: list[int] = field(default_factory=list)


class Compiled:
    """A predictor of the probability of the positive class; or of `numbers`, which the trees' sum is."""

    def __init__(self, columns: Sequence[Column], trees: Trees, *, numbers: bool = False) -> None:
        self.columns = list(columns)
        self.trees = trees
        self.numbers = numbers
        self.encoding = Encoding(columns)
        self._roots = [_nested(trees, root, len(columns)) for root in trees.roots]
        self._walks: list[generated.Walk] = [self._walked]

    def predict(self, instances: Sequence[Mapping[str, Any]]) -> list[float]:
        """The probability or number for each instance, a JSON object of raw columns; an absent one is missing.

        Raises:
            RequestInvalid: a value cannot be read as its column's type; names the row and the column.
        """
        encoded = self.encoding.encoded
        raw = [self.raw(encoded(instance, row)) for row, instance in enumerate(instances)]
        return raw if self.numbers else [expit(each) for each in raw]

    def explain(self, instances: Sequence[Mapping[str, Any]]) -> list[Explanation]:
        """What each column of each instance adds to the log-odds: exact Shapley values, as `Shapley` defines them.

        Raises:
            RequestInvalid: as `predict`.
            NotExplainable: this form was compiled before answers were explained.
        """
        rows = [self.encoding.encoded(instance, row) for row, instance in enumerate(instances)]
        shapley = self.shapley
        return [Explanation(shapley.base, self.raw(row), shapley.of(both(row))) for row in rows]

    @cached_property
    def shapley(self) -> Shapley:
        """What explains; made when it is first needed."""
        return Shapley(self.trees, [column.column for column in self.columns])

    def raw(self, row: list[float]) -> float:
        """The sum of the trees for an encoded row: the log-odds, or the number."""
        given = both(row)
        total = self.trees.baseline
        for walk in self._walks:
            total = walk(total, given)
        return total

    def hasten(self) -> None:
        """Make functions of the trees, which takes a tenth of a second; every answer stays the same to the last bit.

        May run beside answers, in another thread. Trees that are too deep for that stay as they are.
        """
        if max(map(generated.depth, self._roots), default=0) <= generated.DEEPEST:
            self._walks = list(generated.functions(self._roots, len(self.columns)))

    def _walked(self, total: float, given: list[float]) -> float:
        for node in self._roots:
            while type(node) is tuple:
                feature, threshold, left, right = node
                node = left if given[feature] <= threshold else right
            total += node
        return total

    def said(self) -> dict[str, Any]:
        """As JSON."""
        said = {"columns": [asdict(column) for column in self.columns], **asdict(self.trees)}
        return said | {"numbers": True} if self.numbers else said

    @classmethod
    def read(cls, said: dict[str, Any]) -> Self:
        """What `said` gave."""
        numbers = said.pop("numbers", False)
        return cls([Column(**column) for column in said.pop("columns")], Trees(**said), numbers=numbers)


def both(row: list[float]) -> list[float]:
    """A row, and behind it a copy in which what is missing is minus infinity.

    A missing value is NaN, which is at most nothing, and so goes right. The copy, in which it goes left, serves the
    nodes that send what is missing to the left.
    """
    return row + [-math.inf if math.isnan(value) else value for value in row]


def _nested(trees: Trees, node: int, width: int) -> Any:
    """A tree as nested tuples (feature, threshold, left, right), a leaf as its value; `feature` counts in `both`."""
    if not trees.left[node]:
        return trees.value[node]
    feature = trees.feature[node] + (width if trees.missing_left[node] else 0)
    threshold = trees.threshold[node]
    left, right = (_nested(trees, child, width) for child in (trees.left[node], trees.right[node]))
    return feature, math.inf if threshold is None else threshold, left, right


def expit(raw: float) -> float:
    """The logistic function, as scipy.special.expit computes it."""
    return 1.0 / (1.0 + math.exp(-raw)) if raw > -700.0 else math.exp(raw)
