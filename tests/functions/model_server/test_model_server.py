"""The model server, as a process of its built bundle, under Vertex AI's contract for containers."""

import re
from pathlib import Path
from typing import Any

import pytest
import requests

from dropforge.contracts.predictions import MOST_BYTES
from tests.functions.serving import Server, serving
from tests.functions.trained import flights, trained


def test_answers_are_those_of_scikit_learn_to_the_last_bit(server: Server) -> None:
    """One artefact does transform and predict everywhere, so there is no skew to be small about."""
    answer = server.predict({"instances": trained().instances})
    assert answer.status_code == 200
    predictions = answer.json()["predictions"]
    assert [found["probability"] for found in predictions] == trained().probabilities
    assert [found["label"] for found in predictions] == [given > 0.5 for given in trained().probabilities]


def test_a_batch_and_its_rows_one_by_one_get_the_same_answers(server: Server) -> None:
    """A large batch is predicted beside the event loop; that must not show."""
    many = trained().instances * 10
    batch = server.predict({"instances": many}).json()["predictions"]
    single = [server.predict({"instances": [one]}).json()["predictions"][0] for one in many[:50]]
    assert batch == single * 10


def test_the_threshold_is_the_callers(server: Server) -> None:
    """Costs of the two errors differ by caller, the probability does not."""
    low = trained().probabilities[0] - 0.001
    body = {"instances": trained().instances[:1], "parameters": {"threshold": low}}
    assert server.predict(body).json()["predictions"] == [{"probability": trained().probabilities[0], "label": True}]


ONE = flights()[0]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"{", "Expected JSON"),
        (b"[" * 100_000, "Expected JSON"),
        ([], 'Expected a body {"instances"'),
        ({"instances": []}, "Expected 1 to 10000 instances. Found 0."),
        ({"instances": [ONE], "parameters": {"treshold": 1}}, "Found 'treshold'"),
        ({"instances": [ONE], "parameters": {"threshold": True}}, "a number from 0 to 1. Found True"),
        ({"instances": [ONE, 7]}, "Instance 1: expected an object of fields. Found 7."),
        ({"instances": [{**ONE, "distance": "far"}]}, "field 'distance': expected an integer in mile, from 10 to 6000"),
        ({"instances": [{**ONE, "orign": "JFK"}]}, "field 'orign': expected a field of the model, such as 'origin'"),
    ],
)
def test_a_request_that_breaks_the_contract_is_told_where(server: Server, body: Any, said: str) -> None:
    """Vertex AI hands this body to the caller, who has nothing else to go by."""
    answer = server.predict(body)
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")
    assert said in answer.json()["detail"]


def test_a_body_that_is_too_large_is_refused(server: Server) -> None:
    """An endpoint has the same limit; the server must hold it by itself, without keeping the body."""
    answer = server.predict(b" " * (MOST_BYTES + 1))
    assert (answer.status_code, answer.json()["title"]) == (413, "Content Too Large")


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/predict", 405), ("GET", "/", 404), ("POST", "/x", 404)]
)
def test_only_the_two_routes_exist(server: Server, method: str, path: str, status: int) -> None:
    """Vertex AI names both routes; nothing else is promised."""
    assert requests.request(method, server.url + path, timeout=5).status_code == status


def test_every_request_has_an_id_and_a_line(server: Server) -> None:
    """The caller's id when there is one, so that a request is found again in both logs."""
    given = server.predict({"instances": [ONE]}, headers={"x-request-id": "from-the-caller"})
    made = server.predict({"instances": [ONE]})
    assert given.headers["x-request-id"] == "from-the-caller"
    assert re.fullmatch("[0-9a-f]{16}", made.headers["x-request-id"])
    (line,) = [line for line in server.lines() if line.get("request_id") == "from-the-caller"]
    assert (line["severity"], line["status"], line["instances"], line["candidate"]) == ("INFO", 200, 1, "candidate1")


def test_health_says_which_candidate_serves(server: Server) -> None:
    """The first question when an answer looks wrong."""
    assert requests.get(server.url + "/healthz", timeout=5).json() == {
        "status": "ok",
        "candidate": "candidate1",
        "pipeline": "flights",
    }


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"DROPFORGE_MODEL_SHA256": "0" * 64}, "The registry expects 0000"),
        (
            {"DROPFORGE_MODEL_SHA256": ""},
            "Expected the digest of the artefact in the registry in DROPFORGE_MODEL_SHA256",
        ),
        ({"DROPFORGE_COMPILED_SHA256": "0" * 64}, "Expected a compiled predictor of SHA-256 0000"),
        ({"AIP_STORAGE_URI": "gs://model-server-state/nowhere"}, "nowhere/candidate.json is not there"),
    ],
)
def test_a_candidate_that_is_not_the_registrys_is_never_served(
    bundle: Path, variables: dict[str, str], tmp_path: Path, changed: dict[str, str], said: str
) -> None:
    """A server that starts with another model than the one judged would be the worst of failures: silent."""
    with (
        pytest.raises(ChildProcessError, match=said) as ended,
        serving(bundle, tmp_path / "log", **{**variables, **changed}),
    ):
        pass
    assert '"severity": "CRITICAL"' in str(ended.value)
