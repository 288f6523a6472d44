"""A predictor of everybody with small corrections of single entities: a speaker, a user, a shop.

An entity's correction moves what the common predictor says before it becomes an answer: log-odds, a number, or the
score of each class. Who has none, is not known or is missing is answered by the common predictor alone.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

from dropforge.core.compiled.classes import Classes
from dropforge.core.compiled.columns import Column, Encoding
from dropforge.core.compiled.explained import Explanation
from dropforge.core.compiled.linear import Linear
from dropforge.core.compiled.trees import Compiled, expit


@dataclass(frozen=True)
class Offsets:
    """One entity's correction: `slope` times the common score, plus `shifts`, one for each output, plus `weights`.

    `weights` has a row for each output, of a number for each numeric feature; it is empty where there are none.
    """

    slope: float
    shifts: list[float]
    weights: list[list[float]]


@dataclass(frozen=True)
class Scale:
    """How a numeric feature is read by `weights`: (value - centre) * factor; a missing one is 0."""

    centre: float
    factor: float

    def __call__(self, value: float) -> float:
        """The scaled value."""
        return 0.0 if math.isnan(value) else (value - self.centre) * self.factor


class Personal:
    """The common predictor, and the corrections of those entities of `column` that have one."""

    def __init__(
        self,
        common: Compiled | Linear | Classes,
        column: str,
        numbers: Sequence[Column],
        scales: Sequence[Scale],
        entities: Mapping[str, Offsets],
    ) -> None:
        self.common = common
        self.column = column
        self.numbers = list(numbers)
        self.scales = list(scales)
        self.entities = dict(entities)
        self._encoding = Encoding(numbers)
        self._parts = common.parts if isinstance(common, Classes) else [common]

    def predict(self, instances: Sequence[Mapping[str, Any]]) -> list[Any]:
        """As the common predictor's.

        Raises:
            RequestInvalid: a value cannot be read as its column's type; names the row and the column.
        """
        return [self._answer(self._raw(instance, row)) for row, instance in enumerate(instances)]

    def explain(self, instances: Sequence[Mapping[str, Any]]) -> list[Explanation]:
        """What each column adds; the entity's column has the shift, and the others their share of slope and weights.

        Raises:
            RequestInvalid, NotExplainable: as the common predictor's.
        """
        return [self._explained(instance, row) for row, instance in enumerate(instances)]

    def hasten(self) -> None:
        """As the common predictor's."""
        self.common.hasten()

    def _of(self, instance: Mapping[str, Any]) -> Offsets | None:
        entity = instance.get(self.column)
        return None if entity is None else self.entities.get(str(entity))

    def _raw(self, instance: Mapping[str, Any], row: int) -> list[float]:
        encoded = self._parts[0].encoding.encoded(instance, row)
        raw = [part.raw(encoded) for part in self._parts]
        offsets = self._of(instance)
        if offsets is None:
            return raw
        moved = [one + offsets.slope * one + shift for one, shift in zip(raw, offsets.shifts, strict=True)]
        if offsets.weights:
            scaled = self._scaled(instance, row)
            moved = [one + _dot(weights, scaled) for one, weights in zip(moved, offsets.weights, strict=True)]
        return moved

    def _scaled(self, instance: Mapping[str, Any], row: int) -> list[float]:
        values = self._encoding.encoded(instance, row)
        return [scale(value) for scale, value in zip(self.scales, values, strict=True)]

    def _answer(self, raw: list[float]) -> Any:
        if isinstance(self.common, Classes):
            return self.common.shares(raw)
        return raw[0] if self.common.numbers else expit(raw[0])

    def _explained(self, instance: Mapping[str, Any], row: int) -> Explanation:
        raw = self._raw(instance, row)
        if not isinstance(self.common, Classes):
            return self._of_output(0, instance, row)
        shares = self.common.shares(raw)
        best = max(range(len(shares)), key=shares.__getitem__)
        if len(raw) > 1:
            return self._of_output(best, instance, row)
        second = self._of_output(0, instance, row)
        return second if best else second.negated()

    def _of_output(self, output: int, instance: Mapping[str, Any], row: int) -> Explanation:
        common = self._parts[output].explain([instance])[0]
        offsets = self._of(instance)
        if offsets is None:
            return common
        by = 1 + offsets.slope
        adds = {name: by * value for name, value in common.contributions.items()}
        adds[self.column] = adds.get(self.column, 0.0) + offsets.shifts[output]
        if offsets.weights:
            scaled = self._scaled(instance, row)
            for number, weight, value in zip(self.numbers, offsets.weights[output], scaled, strict=True):
                adds[number.column] = adds.get(number.column, 0.0) + weight * value
        return Explanation(by * common.base, by * common.base + sum(adds.values()), adds)

    def said(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "personal": self.column,
            "common": self.common.said(),
            "numbers": [asdict(column) for column in self.numbers],
            "scales": [asdict(scale) for scale in self.scales],
            "entities": {name: asdict(offsets) for name, offsets in self.entities.items()},
        }

    @classmethod
    def read(cls, said: dict[str, Any], common: Compiled | Linear | Classes) -> Self:
        """What `said` gave; the common predictor is read before."""
        return cls(
            common,
            said["personal"],
            [Column(**each) for each in said["numbers"]],
            [Scale(**each) for each in said["scales"]],
            {name: Offsets(**each) for name, each in said["entities"].items()},
        )


def _dot(weights: Sequence[float], values: Sequence[float]) -> float:
    return sum(weight * value for weight, value in zip(weights, values, strict=True))
