"""The BentoML service of `peers.bentoml`; the command line wants it as a name in a module."""

import os
from importlib import import_module
from typing import Any

from tests.benchmarks.serving.peers import answers, fitted

bentoml = import_module("bentoml")


class Flights:
    """Predicts flights."""

    def __init__(self) -> None:
        self.model = fitted(os.environ["ROWS"])

    def predict(self, instances: list[dict[str, Any]]) -> dict[str, Any]:
        """As ours."""
        return answers(self.model, instances)


Flights.predict = bentoml.api(Flights.predict)  # type: ignore[method-assign]  # the library's decorator, untyped here
Flights = bentoml.service(Flights)  # type: ignore[misc]  # as above
