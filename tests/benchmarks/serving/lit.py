"""The LitServe interface of `peers.litserve`; its workers are spawned, and want the class as a name in a module."""

import os
from importlib import import_module
from typing import Any

from tests.benchmarks.serving.peers import answers, fitted

LitAPI: Any = import_module("litserve").LitAPI


class Flights(LitAPI):  # type: ignore[misc]  # a package of the other environment
    """Predicts flights."""

    def setup(self, device: str) -> None:  # noqa: ARG002  # as the library calls it
        """Once, in the worker."""
        self.model = fitted(os.environ["ROWS"])

    def predict(self, request: dict[str, Any]) -> dict[str, Any]:
        """As ours."""
        return answers(self.model, request["instances"])
