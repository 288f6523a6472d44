"""What a model predicts, one of three tasks, and how an answer says it.

    binary      {"probability": 0.31, "label": false}
    regression  {"value": 12.5}
    multiclass  {"class": "EV", "probability": 0.6, "probabilities": {"AA": 0.4, "EV": 0.6}}

A predictor gives a float for each row, the probability of the positive class or the value; or, of more classes than
two, a list of floats, the probability of each class. Nothing here needs pydantic, for servers import it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

Task = Literal["binary", "regression", "multiclass"]
Given = float | list[float]


@dataclass(frozen=True)
class Outcome:
    """What a candidate predicts; `classes` are those of `multiclass`, in the order of their probabilities."""

    task: str = "binary"
    classes: Sequence[str] = ()

    def answer(self, given: Any, threshold: float) -> dict[str, Any]:
        """What an instance is answered; `threshold` is for binary answers only."""
        if self.task == "binary":
            return {"probability": given, "label": given > threshold}
        if self.task == "regression":
            return {"value": given}
        best = max(range(len(given)), key=given.__getitem__)
        probabilities = dict(zip(self.classes, given, strict=True))
        return {"class": self.classes[best], "probability": given[best], "probabilities": probabilities}

    def given(self, answer: Any) -> Given:
        """What the predictor gave, from an answer.

        Raises:
            ValueError: it is no answer of this task.
        """
        key = {"binary": "probability", "regression": "value", "multiclass": "probabilities"}[self.task]
        found = answer.get(key) if isinstance(answer, dict) else None
        if self.task == "multiclass" and isinstance(found, dict) and found.keys() == set(self.classes):
            return [float(found[name]) for name in self.classes]
        if isinstance(found, float | int):
            return float(found)
        raise ValueError(f"Expected an answer with {key!r}. Found {answer!r}.")

    def sound(self, given: Any) -> bool:
        """Whether it is what a predictor of this task may give: a finite value, or probabilities."""
        numbers = given if isinstance(given, list) else [given]
        if self.task == "regression":
            return all(abs(number) < float("inf") for number in numbers)
        return all(0 <= number <= 1 for number in numbers)


BINARY = Outcome()
