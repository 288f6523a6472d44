"""`predict` over HTTP: real bundle, real endpoint, real model server."""

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

import pytest
import requests

from dropforge.contracts import places
from dropforge.contracts.errors import SettingsInvalid
from dropforge.contracts.predictions import MOST_BYTES, MOST_INSTANCES
from dropforge.contracts.settings import Settings
from dropforge.core.champion import deployed_as
from dropforge.gcp.vertex import Inline
from tests.emulators.launch import Emulator
from tests.functions.predict.conftest import Deployment, Predict
from tests.functions.trained import flights, trained

ONE = flights()[0]


def test_an_answer_is_vertex_ais_with_an_id_and_a_version_for_each_prediction(
    predict: Predict, deployment: Deployment
) -> None:
    """A label that comes later finds its prediction by the id, and the model that made it by the version."""
    answer = predict.ask({"instances": trained().instances})
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert [found["probability"] for found in body["predictions"]] == trained().probabilities
    assert {found["version"] for found in body["predictions"]} == {"1"} == {body["modelVersionId"]}
    assert len({found["id"] for found in body["predictions"]}) == len(trained().instances)
    assert body["model"].endswith("/models/dropforge-flights")
    assert {"deployedModelId", "model", "modelVersionId"} <= body.keys()
    assert deployment.state.stat("champions/flights.json")


def without(name: str) -> dict[str, Any]:
    """An instance that lacks a field."""
    return {key: value for key, value in ONE.items() if key != name}


@pytest.mark.parametrize(
    ("instance", "field", "expected", "found"),
    [
        ({**ONE, "distence": 1}, "distence", "a field of the model, such as 'distance'", "an unknown field"),
        (without("carrier"), "carrier", "a text", "nothing"),
        ({**ONE, "carrier": None}, "carrier", "a text", "null"),
        ({**ONE, "carrier": 9}, "carrier", "a text", "9"),
        ({**ONE, "origin": "SFO"}, "origin", "one of 'EWR', 'JFK', 'LGA'", "'SFO'"),
        ({**ONE, "distance": 9.5}, "distance", "an integer in mile, from 10 to 6000", "9.5"),
        ({**ONE, "distance": 9}, "distance", "an integer in mile, from 10 to 6000", "9"),
        ({**ONE, "distance": True}, "distance", "an integer in mile, from 10 to 6000", "True"),
        ({**ONE, "temp": "warm"}, "temp", "a number in °F, from -40 to 130, or null", "'warm'"),
        ({**ONE, "temp": [1]}, "temp", "a number in °F, from -40 to 130, or null", "[1]"),
        ({**ONE, "time_hour": "soon"}, "time_hour", "a time such as 2013-01-31T10:00:00Z", "'soon'"),
    ],
)
def test_a_field_that_does_not_fit_is_named(
    predict: Predict, instance: dict[str, Any], field: str, expected: str, found: str
) -> None:
    """A model answers anything; only this check tells a caller that the question was wrong."""
    answer = predict.ask({"instances": [ONE, instance]})
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")
    assert answer.json()["errors"] == [
        {"pointer": f"/instances/1/{field}", "instance": 1, "field": field, "expected": expected, "found": found}
    ]
    assert answer.json()["version"]


@pytest.mark.parametrize("instance", [{**ONE, "temp": None}, without("temp"), {**ONE, "distance": 187.0}])
def test_what_training_had_too_is_taken(predict: Predict, instance: dict[str, Any]) -> None:
    """Weather is missing in training rows as well; and Vertex AI's clients send every number as a double."""
    assert predict.ask({"instances": [instance]}).status_code == 200


def test_with_partial_what_fits_is_answered_and_the_rest_told(predict: Predict) -> None:
    """One bad row of a thousand need not cost the others their answers."""
    bad = {**ONE, "origin": "SFO"}
    body = {"instances": [ONE, bad, ONE], "parameters": {"partial": True}}
    first, wrong, last = predict.ask(body).json()["predictions"]
    assert first["probability"] == last["probability"]
    assert wrong["error"][0]["pointer"] == "/instances/1/origin"
    assert first["id"] != wrong["id"] != last["id"]


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        (b"", 400, "Expected JSON"),
        (b'{"instances": ' + b"[" * 5000, 400, "Expected JSON"),
        (b"\xff", 400, "Expected JSON"),
        (b'{"instances": ' + b"[" * 900 + b"]" * 900 + b"}", 400, "expected an object of fields. Found [[[...]]]"),
        ({"instances": [{**ONE, "temp": {"a": [{}] * 9999}}]}, 400, "or null. Found {'a': [{}, {}, {}, {}, ...]}"),
        ({"instances": ONE}, 400, 'Expected a body {"instances"'),
        ({"instances": [ONE], "instance": []}, 400, "only the members instances, parameters. Found 'instance'"),
        ({"instances": [{}] * (MOST_INSTANCES + 1)}, 400, f"1 to {MOST_INSTANCES} instances"),
        ({"instances": [{}], "parameters": {"partial": "yes"}}, 400, "true or false. Found 'yes'"),
        (b" " * (MOST_BYTES + 1), 413, f"at most {MOST_BYTES} bytes"),
    ],
)
def test_a_body_beyond_the_limits_is_refused(predict: Predict, body: Any, status: int, said: str) -> None:
    """Limits are told before anything is done with the body."""
    answer = predict.ask(body)
    assert answer.status_code == status
    assert said in answer.json()["detail"]
    assert len(answer.content) < 5000


def test_a_body_of_another_type_is_refused(predict: Predict) -> None:
    """A form or a file posted by mistake would otherwise read as broken JSON."""
    answer = predict.ask(b"a=1", headers={"content-type": "application/x-www-form-urlencoded"})
    assert answer.status_code == 415


@pytest.mark.parametrize(
    ("pipeline", "said"),
    [("trips", "has no published model yet"), ("nothing", "'nothing' is not deployed"), ("../x", "Expected /v1")],
)
def test_a_pipeline_that_cannot_answer_says_why(predict: Predict, pipeline: str, said: str) -> None:
    """Not deployed and not yet trained call for different things."""
    answer = predict.ask({"instances": [ONE]}, pipeline=pipeline)
    assert (answer.status_code, answer.json()["title"]) == (404, "Not Found")
    assert said in answer.json()["detail"]


def test_the_description_gives_an_example_that_is_answered(predict: Predict) -> None:
    """The first thing that a person does is to send the example."""
    told = predict.get("/v1/pipelines/flights").json()
    assert told["candidate"].startswith("candidate")
    assert [field["name"] for field in told["signature"]] == [field.name for field in trained().candidate.signature]
    assert predict.ask(told["example"]).status_code == 200


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/v1/healthz", "/v1/openapi.json"])
def test_status_is_answered_below_both_paths(predict: Predict, path: str) -> None:
    """The router hands on only what is below /v1/."""
    assert predict.get(path).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/v1/pipelines/flights:predict", "POST"),
        ("DELETE", "/v1/pipelines/flights:predict", "POST"),
        ("POST", "/healthz", "GET, HEAD"),
        ("DELETE", "/healthz", "GET, HEAD"),
    ],
)
def test_a_wrong_method_is_told(predict: Predict, method: str, path: str, allowed: str) -> None:
    """405, not 404: the path is right."""
    answer = requests.request(method, predict.url + path, timeout=10)
    assert (answer.status_code, answer.headers["allow"]) == (405, allowed)


def test_a_request_is_one_line_with_ids_version_and_trace(predict: Predict) -> None:
    """From a complaint with an id to the version that answered, in one query."""
    headers = {"x-request-id": "complaint", "traceparent": f"00-{'a' * 32}-{'b' * 16}-01"}
    answer = predict.ask({"instances": [ONE]}, headers=headers)
    assert answer.headers["x-request-id"] == "complaint"
    (line,) = [line for line in predict.lines() if line.get("caller_request_id") == "complaint"]
    assert answer.json()["predictions"][0]["id"].split("-", 1)[1] == f"{line['request_id']}-0"
    assert line["logging.googleapis.com/trace"] == f"projects/predict-test/traces/{'a' * 32}"
    assert (line["pipeline"], line["status"], line["instances"], line["severity"]) == ("flights", 200, 1, "INFO")
    assert line["version"] == answer.json()["modelVersionId"]


def test_a_passing_failure_of_the_endpoint_does_not_show(predict: Predict, vertex_emulator: Emulator) -> None:
    """A prediction changes nothing, so it is asked again."""
    fault = _fail(vertex_emulator, times=2)
    assert predict.ask({"instances": [ONE]}).status_code == 200
    assert vertex_emulator.control("GET", f"/faults/{fault}").json()["consumed"] == 2


def test_a_killed_model_server_costs_no_request(predict: Predict, vertex_emulator: Emulator) -> None:
    """Vertex AI starts it again; until then predict holds what is asked, instead of failing it."""
    processes = vertex_emulator.control("GET", "/health").json()["processes"]
    pids = [process["pid"] for process in processes]
    assert pids
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(lambda _: predict.ask({"instances": [ONE]}).status_code, range(40)))
    assert statuses == [200] * 40


def test_a_failure_that_stays_is_a_503_within_a_bound(predict: Predict, vertex_emulator: Emulator) -> None:
    """The caller must learn that to ask again later is right, and no text of ours from within."""
    fault = _fail(vertex_emulator, times=100)
    answer = predict.ask({"instances": [ONE]})
    vertex_emulator.control("DELETE", f"/faults/{fault}")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert answer.json()["detail"] == "The model of 'flights' does not answer now. Try again."


def test_a_model_published_meanwhile_answers_at_once(predict: Predict, deployment: Deployment) -> None:
    """Traffic moves at the endpoint, so no cache of ours may keep an old model answering."""
    assert predict.ask({"instances": [ONE]}).json()["modelVersionId"] == "1"
    second = trained(2)
    deployment.publish(second)
    body = predict.ask({"instances": second.instances}).json()
    assert body["modelVersionId"] == "2"
    assert [found["probability"] for found in body["predictions"]] == second.probabilities


def test_a_pointer_to_an_endpoint_that_is_gone_is_read_again(predict: Predict, deployment: Deployment) -> None:
    """A pipeline that was moved to another endpoint must answer before the pointer's time is up."""
    real = deployment.publish(trained(), pipeline="moved")
    deployment.point(real.model_copy(update={"endpoint": real.endpoint + "-gone"}))
    assert predict.ask({"instances": [ONE]}, pipeline="moved").status_code == 503
    deployment.point(real)
    assert predict.ask({"instances": [ONE]}, pipeline="moved").status_code == 200


def test_inline_answers_bit_for_bit_as_the_endpoint_does(
    predict: Predict, inline: Predict, deployment: Deployment
) -> None:
    """The backend is a matter of cost, never of answers."""
    champion = deployment.publish(trained())
    for body in (
        {"instances": trained().instances * 8, "parameters": {"threshold": 0.3}},
        {"instances": [ONE, {**ONE, "origin": "SFO"}], "parameters": {"partial": True}},
        {"instances": [{**ONE, "origin": "SFO"}]},
    ):
        mine, theirs = inline.ask(body).json(), predict.ask(body).json()
        for answer in (mine, theirs):
            for prediction in answer.get("predictions", []):
                del prediction["id"]
        assert mine.pop("modelDisplayName", None) is None
        theirs.pop("modelDisplayName", None)
        assert mine == {**theirs, **({"model": champion.model} if "model" in mine else {})}


def test_inline_publishes_without_an_endpoint_and_follows_the_pointer(inline: Predict, deployment: Deployment) -> None:
    """Zero idle cost means that no replica runs, neither for serving nor for the rehearsal before."""
    platform = Inline.connect(Settings.read(deployment.variables), deployment.state)
    for number, model in enumerate((trained(), trained(2)), start=1):
        champion = deployment.publish(model, pipeline="cheap", platform=platform)
        assert (champion.endpoint, champion.version) == ("", str(number))
        rehearsed = platform.answer(deployed_as(champion), model.instances)
        assert [found["probability"] for found in cast(list[dict[str, Any]], rehearsed)] == model.probabilities
    platform.close()
    answer = inline.ask({"instances": trained(2).instances}, pipeline="cheap").json()
    assert [found["probability"] for found in answer["predictions"]] == trained(2).probabilities
    assert {found["version"] for found in answer["predictions"]} == {"2"}


def test_inline_loads_no_predictor_but_the_candidates(inline: Predict, deployment: Deployment) -> None:
    """The same protection as in the model server."""
    deployment.publish(trained(3), pipeline="tampered")
    place = places.candidate("tampered", "candidate3", "predictor.json")
    content, generation = deployment.state.read(place)
    deployment.state.replace(place, content.replace(b'"baseline":', b'"baseline":1'), generation)
    answer = inline.ask({"instances": [ONE]}, pipeline="tampered")
    assert (answer.status_code, answer.json()["title"]) == (503, "Service Unavailable")


def test_a_backend_that_does_not_exist_is_an_error() -> None:
    """A typing error must not fall back to the dearer one."""
    with pytest.raises(SettingsInvalid, match=r"'vertex' or 'inline'. Found 'in-line'"):
        Settings.read({"GOOGLE_CLOUD_PROJECT": "p", "DROPFORGE_PREDICT_BACKEND": "in-line"})


def _fail(emulator: Emulator, times: int) -> str:
    fault = {"operation": "aiplatform.endpoints.predict", "action": "error", "status": 503, "times": times}
    return str(emulator.control("POST", "/faults", fault).json()["id"])
