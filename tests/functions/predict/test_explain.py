"""`:explain` over HTTP, by both backends."""

import math
from dataclasses import replace
from typing import Any

import pytest
import requests

from dropforge.contracts.predictions import MOST_EXPLAINED
from tests.functions.predict.conftest import Deployment, Predict
from tests.functions.trained import flights, trained

ONE = flights()[0]
BAD = {**ONE, "origin": "SFO"}


def explain(predict: Predict, instances: list[Any], pipeline: str = "flights", **parameters: Any) -> requests.Response:
    """Ask for explanations."""
    body = {"instances": instances, "parameters": parameters}
    return requests.post(f"{predict.url}/v1/pipelines/{pipeline}:explain", json=body, timeout=30)


def test_each_answer_is_explained_by_the_fields_of_the_request(predict: Predict) -> None:
    """A caller knows `time_hour`, and not the weekday that a model makes of it; and all of the answer is explained."""
    answer = explain(predict, trained().instances[:5]).json()
    asked = predict.ask({"instances": trained().instances[:5]}).json()
    for found, explained, plain in zip(
        answer["predictions"], answer["explanations"], asked["predictions"], strict=True
    ):
        assert found["probability"] == plain["probability"]
        (attribution,) = explained["attributions"]
        assert attribution["featureAttributions"].keys() == ONE.keys()
        total = attribution["baselineOutputValue"] + sum(attribution["featureAttributions"].values())
        assert total == pytest.approx(attribution["instanceOutputValue"], abs=1e-9)
        assert 1 / (1 + math.exp(-total)) == pytest.approx(found["probability"], abs=1e-9)


def test_both_backends_explain_alike(predict: Predict, inline: Predict) -> None:
    """The backend is a matter of cost, never of answers."""
    mine, theirs = (explain(each, trained().instances[:5]).json()["explanations"] for each in (inline, predict))
    assert mine == theirs


def test_what_does_not_fit_has_no_attributions(predict: Predict) -> None:
    """With `partial` the others are explained; without it, the request is refused as `:predict` refuses it."""
    answer = explain(predict, [BAD, ONE], partial=True).json()
    assert [len(each["attributions"]) for each in answer["explanations"]] == [0, 1]
    assert answer["predictions"][0]["error"][0]["field"] == "origin"
    refused = explain(predict, [BAD, ONE])
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (400, "/instances/0/origin")


def test_more_than_the_limit_is_refused(predict: Predict) -> None:
    """An explanation costs five hundred times a prediction: a caller must not buy minutes with one request."""
    answer = explain(predict, [ONE] * (MOST_EXPLAINED + 1))
    assert answer.status_code == 400
    assert answer.json()["detail"] == "Expected 1 to 100 instances to explain. Found 101."


def test_keys_are_not_explained(predict: Predict) -> None:
    """A table has answers, and not the features that they came from."""
    answer = explain(predict, [{"id": 1}], by="key")
    assert (answer.status_code, "Found 'key'" in answer.json()["detail"]) == (400, True)


def test_explanations_are_asked_for_by_the_path(predict: Predict) -> None:
    """One way to ask one thing; the parameter is how `predict` asks the model server."""
    answer = predict.ask({"instances": [ONE], "parameters": {"explain": True}})
    assert (answer.status_code, "':explain'" in answer.json()["detail"]) == (400, True)


def test_a_model_without_a_compiled_form_says_that_it_cannot(predict: Predict, deployment: Deployment) -> None:
    """501, and not 503: asking again would not help."""
    candidate = trained(4).candidate.model_copy(update={"compiled_sha256": None, "compiled_because": "A test."})
    deployment.publish(replace(trained(4), candidate=candidate), pipeline="uncompiled")
    answer = explain(predict, [ONE], pipeline="uncompiled")
    assert (answer.status_code, answer.headers["content-type"]) == (501, "application/problem+json")
    assert "compiled form" in answer.json()["detail"]
    assert predict.ask({"instances": [ONE]}, pipeline="uncompiled").status_code == 200
