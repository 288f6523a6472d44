"""A crash ordered before or after the n-th write, of BigQuery and Vertex AI.

Cloud Storage, Pub/Sub and the router have such tests among their own.
"""

from pathlib import Path
from typing import Any, NamedTuple

import pytest
import requests

from tests.emulators.launch import Emulator


class Writes(NamedTuple):
    """A call that creates, what it is called, and how a list tells what is there."""

    operation: str
    path: str
    kind: str

    def body(self, number: int) -> dict[str, Any]:
        """What creates the resource of this number."""
        if self.kind == "datasets":
            return {"datasetReference": {"projectId": "p", "datasetId": f"n{number}"}}
        return {"displayName": f"n{number}"}

    def found(self, emulator: Emulator) -> list[str]:
        """The resources there are, in order of their numbers."""
        listed = requests.get(emulator.url + self.path, timeout=30).json().get(self.kind, [])
        return sorted(each.get("displayName") or each["datasetReference"]["datasetId"] for each in listed)


WRITES = {
    "bigquery": Writes("bigquery.datasets.insert", "/bigquery/v2/projects/p/datasets", "datasets"),
    "vertex": Writes("aiplatform.endpoints.create", "/v1/projects/p/locations/l/endpoints", "endpoints"),
}


@pytest.mark.parametrize("name", WRITES)
@pytest.mark.parametrize(("action", "survivors"), [("crash_before", 1), ("crash_after", 2)])
def test_a_crash_at_the_second_write_keeps_what_came_before(
    tmp_path: Path, name: str, action: str, survivors: int
) -> None:
    """A client that got no answer finds its write either whole or absent, as the order said."""
    writes, data = WRITES[name], tmp_path / "data"
    with Emulator(name, tmp_path / "errors.log", data) as emulator:
        order = {"operation": writes.operation, "action": action, "after": 1}
        emulator.control("POST", "/faults", order).raise_for_status()
        requests.post(emulator.url + writes.path, json=writes.body(1), timeout=30).raise_for_status()
        with pytest.raises(requests.ConnectionError):
            requests.post(emulator.url + writes.path, json=writes.body(2), timeout=30)
        assert emulator.process.wait(timeout=20) == -9
    with Emulator(name, tmp_path / "errors.log", data) as emulator:
        wait_for_operations(emulator)
        assert writes.found(emulator) == ["n1", "n2"][:survivors]


def wait_for_operations(emulator: Emulator) -> None:
    """Vertex AI carries out what it acknowledged after its restart; BigQuery has nothing of the kind."""
    path = "/v1/projects/p/locations/l/operations"
    while not all(each["done"] for each in requests.get(emulator.url + path, timeout=30).json().get("operations", [])):
        pass
