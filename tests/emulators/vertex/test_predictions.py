"""What callers see when model servers answer, fail, or end."""

import time
from typing import Any

import pytest
import requests
from google.api_core.exceptions import GoogleAPICallError
from google.cloud import aiplatform

from tests.emulators.launch import Emulator


def ask(deployed: aiplatform.Endpoint, sdk: Emulator, verb: str = "predict", **sent: Any) -> requests.Response:
    """A call without the SDK, as `predict` makes it with google-auth's session."""
    return requests.post(f"{sdk.url}/v1/{deployed.resource_name}:{verb}", timeout=30, **sent)


@pytest.mark.parametrize(
    ("instance", "status", "code"),
    [
        ({"status": 400}, 400, "FAILED_PRECONDITION"),
        ({"status": 422}, 400, "FAILED_PRECONDITION"),
        ({"status": 429}, 429, "RESOURCE_EXHAUSTED"),
        ({"status": 500}, 500, "INTERNAL"),
        ({"status": 503}, 503, "UNAVAILABLE"),
        ({"garbage": True}, 400, "FAILED_PRECONDITION"),
    ],
)
def test_a_model_servers_failure_is_told_in_googles_form(
    deployed: aiplatform.Endpoint, sdk: Emulator, instance: dict[str, object], status: int, code: str
) -> None:
    """The caller decides by status whether to try again, and shows the model server's own words."""
    answer = ask(deployed, sdk, json={"instances": [instance]})
    assert (answer.status_code, answer.json()["error"]["status"]) == (status, code)
    assert ("as asked" if "status" in instance else "<html>") in answer.json()["error"]["message"]


@pytest.mark.parametrize("body", ["not json", '{"rows": []}', "[]", '{"instances": 1}'])
def test_a_request_that_is_none_is_refused_before_the_model_sees_it(
    deployed: aiplatform.Endpoint, sdk: Emulator, body: str
) -> None:
    """The form is Vertex AI's."""
    answer = ask(deployed, sdk, data=body)
    assert (answer.status_code, answer.json()["error"]["status"]) == (400, "INVALID_ARGUMENT")


def test_a_request_over_the_limit_is_refused(deployed: aiplatform.Endpoint, sdk: Emulator) -> None:
    """The service takes 1.5 MB."""
    answer = ask(deployed, sdk, json={"instances": ["x" * 1_600_000]})
    assert answer.status_code == 400
    assert "exceeds the limit" in answer.json()["error"]["message"]


def test_a_raw_prediction_passes_any_body_through(deployed: aiplatform.Endpoint, sdk: Emulator) -> None:
    """rawPredict knows nothing of instances."""
    answer = ask(deployed, sdk, "rawPredict", data=b"abc", headers={"content-type": "text/plain"})
    assert (answer.content, answer.headers["content-type"]) == (b"cba", "text/plain")
    assert answer.headers["x-vertex-ai-deployed-model-id"] == deployed.list_models()[0].id


def test_an_endpoint_that_is_not_there_is_not_found(sdk: Emulator) -> None:
    """404, so that the caller does not try again."""
    url = f"{sdk.url}/v1/projects/p/locations/us-central1/endpoints/77:predict"
    assert requests.post(url, json={"instances": []}, timeout=10).json()["error"]["status"] == "NOT_FOUND"


def test_a_model_server_that_ends_in_a_request_is_unavailable_and_comes_back(deployed: aiplatform.Endpoint) -> None:
    """The request in flight fails so that it may be repeated; the next ones are answered again."""
    before = deployed.predict([{}]).predictions[0]["pid"]
    with pytest.raises(GoogleAPICallError) as failed:
        deployed.predict([{"exit": 3}])
    assert failed.value.code == 503
    assert answered_again(deployed) != before


def answered_again(endpoint: aiplatform.Endpoint) -> float:
    """The process id of the next that answers, within ten seconds."""
    for _ in range(100):
        try:
            return float(endpoint.predict([{}]).predictions[0]["pid"])
        except GoogleAPICallError:
            time.sleep(0.1)
    raise AssertionError("The model server did not come back.")
