"""An encoder and a linear model as plain numbers: for each feature what each of its values adds to the log-odds."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

from dropforge.core.compiled.columns import Column, Encoding
from dropforge.core.compiled.explained import Explanation
from dropforge.core.compiled.trees import expit


@dataclass(frozen=True)
class Term:
    """What one feature adds: `missing`; or what `table` has for its value, and `other` for a value that it has not; or,
    without a table, `at_zero` and `slope` for each unit. `mean` is what it adds on average to the rows of training."""

    missing: float
    mean: float
    table: Mapping[float, float] | None = None
    other: float = 0.0
    at_zero: float = 0.0
    slope: float = 0.0

    def adds(self, value: float) -> float:
        """What this value of the feature adds."""
        if math.isnan(value):
            return self.missing
        return self.at_zero + self.slope * value if self.table is None else self.table.get(value, self.other)


class Linear:
    """A predictor of the probability of the positive class; or of `numbers`, which the sum of the terms is."""

    def __init__(
        self, columns: Sequence[Column], terms: Sequence[Term], intercept: float, *, numbers: bool = False
    ) -> None:
        self.columns = list(columns)
        self.terms = list(terms)
        self.intercept = intercept
        self.numbers = numbers
        self.encoding = Encoding(columns)
        self._base = intercept + sum(term.mean for term in terms)

    def predict(self, instances: Sequence[Mapping[str, Any]]) -> list[float]:
        """As `Compiled.predict`."""
        encoded = self.encoding.encoded
        raw = [self.raw(encoded(instance, row)) for row, instance in enumerate(instances)]
        return raw if self.numbers else [expit(each) for each in raw]

    def hasten(self) -> None:
        """Nothing: a sum of a few terms is fast as it is."""

    def raw(self, row: list[float]) -> float:
        """The sum for an encoded row: the log-odds, or the number."""
        return self.intercept + sum(self._added(row))

    def explain(self, instances: Sequence[Mapping[str, Any]]) -> list[Explanation]:
        """As `Compiled.explain`. Exact: in a sum, a column's Shapley value is what it adds beyond its average."""
        encoded = self.encoding.encoded
        return [self._explained(self._added(encoded(instance, row))) for row, instance in enumerate(instances)]

    def _explained(self, added: Sequence[float]) -> Explanation:
        contributions = dict.fromkeys((column.column for column in self.columns), 0.0)
        for column, term, adds in zip(self.columns, self.terms, added, strict=True):
            contributions[column.column] += adds - term.mean
        return Explanation(self._base, self.intercept + sum(added), contributions)

    def _added(self, row: list[float]) -> list[float]:
        return [term.adds(value) for term, value in zip(self.terms, row, strict=True)]

    def said(self) -> dict[str, Any]:
        """As JSON; a table's values stand beside what they add, for a JSON object has no numbers as names."""
        terms = [asdict(term) | {"table": term.table and list(term.table.items())} for term in self.terms]
        columns = [asdict(column) for column in self.columns]
        said = {"linear": True, "columns": columns, "terms": terms, "intercept": self.intercept}
        return said | {"numbers": True} if self.numbers else said

    @classmethod
    def read(cls, said: dict[str, Any]) -> Self:
        """What `said` gave."""
        terms = [Term(**each | {"table": each["table"] and dict(each["table"])}) for each in said["terms"]]
        columns = [Column(**column) for column in said["columns"]]
        return cls(columns, terms, said["intercept"], numbers=said.get("numbers", False))
