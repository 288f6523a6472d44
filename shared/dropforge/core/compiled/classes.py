"""A predictor of classes: one sum of trees or of terms for each, made into probabilities by the softmax."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Self

from dropforge.core.compiled.explained import Explanation
from dropforge.core.compiled.linear import Linear
from dropforge.core.compiled.trees import Compiled, expit


class Classes:
    """A predictor of the probability of each class; `parts` has one for each, or one alone for the second of two."""

    def __init__(self, parts: Sequence[Compiled] | Sequence[Linear]) -> None:
        self.parts: Sequence[Compiled | Linear] = parts

    def predict(self, instances: Sequence[Mapping[str, Any]]) -> list[list[float]]:
        """The probabilities for each instance, in the order of the classes.

        Raises:
            RequestInvalid: a value cannot be read as its column's type; names the row and the column.
        """
        encoded = self.parts[0].encoding.encoded
        return [self._probabilities(encoded(instance, row)) for row, instance in enumerate(instances)]

    def explain(self, instances: Sequence[Mapping[str, Any]]) -> list[Explanation]:
        """What each column adds to the score of the likeliest class, whose softmax its probability is; exact.

        Raises:
            RequestInvalid: as `predict`.
            NotExplainable: as `Compiled.explain`.
        """
        likeliest = [max(range(len(given)), key=given.__getitem__) for given in self.predict(instances)]
        return [self._explained(best, instance) for best, instance in zip(likeliest, instances, strict=True)]

    def hasten(self) -> None:
        """As `Compiled.hasten`."""
        for part in self.parts:
            part.hasten()

    def _explained(self, best: int, instance: Mapping[str, Any]) -> Explanation:
        if len(self.parts) > 1:
            return self.parts[best].explain([instance])[0]
        second = self.parts[0].explain([instance])[0]
        return second if best else second.negated()

    def _probabilities(self, row: list[float]) -> list[float]:
        return self.shares([part.raw(row) for part in self.parts])

    @staticmethod
    def shares(raw: Sequence[float]) -> list[float]:
        """The probabilities that scores make: of one alone by the logistic function, of more by the softmax."""
        if len(raw) == 1:
            second = expit(raw[0])
            return [1.0 - second, second]
        most = max(raw)
        shares = [math.exp(each - most) for each in raw]
        total = sum(shares)
        return [share / total for share in shares]

    def said(self) -> dict[str, Any]:
        """As JSON."""
        return {"classes": True, "parts": [part.said() for part in self.parts]}

    @classmethod
    def read(cls, said: dict[str, Any]) -> Self:
        """What `said` gave."""
        parts = said["parts"]
        if parts[0].pop("linear", False):
            return cls([Linear.read(part) for part in parts])
        return cls([Compiled.read(part) for part in parts])
