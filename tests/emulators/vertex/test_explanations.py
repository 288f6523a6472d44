"""Explanations of a model whose Shapley values are known, through the official client."""

import json
from typing import Any

import pytest
from google.api_core.exceptions import BadRequest, NotFound
from google.cloud import aiplatform
from google.cloud.aiplatform.explain import ExplanationMetadata, ExplanationParameters
from google.cloud.aiplatform.models import Prediction
from google.cloud.aiplatform_v1.types import ExplainRequest

from tests.emulators.launch import Emulator
from tests.emulators.vertex.conftest import MACHINE, connect, upload

SUMS = {"TEST_MODEL": "sums"}


def parameters(paths: int = 20, **more: Any) -> ExplanationParameters:
    """Sampled Shapley."""
    return ExplanationParameters(sampled_shapley_attribution={"path_count": paths}, **more)


def metadata(*features: str, output: str = "score", **baselines: list[object]) -> ExplanationMetadata:
    """These features, the rest as it is given."""
    inputs = {name: {"inputBaselines": baselines.get(name, [])} for name in features}
    given = {"inputs": inputs, "outputs": {output: {"displayNameMappingKey": "names"}}}
    return ExplanationMetadata.from_json(json.dumps(given))


def attributions(answer: Prediction) -> list[Any]:
    """Those of the first output, one an instance."""
    return [explanation.attributions[0] for explanation in answer.explanations or []]


@pytest.fixture(scope="module")
def endpoint(emulator: Emulator) -> aiplatform.Endpoint:
    """A model with a spec of its own, deployed as it is."""
    connect(emulator)
    spec = {
        "explanation_parameters": parameters(),
        "explanation_metadata": metadata("a", "b"),
        "serving_container_environment_variables": SUMS,
    }
    endpoint = aiplatform.Endpoint.create(display_name="explained")
    endpoint.deploy(upload("explained", **spec), machine_type=MACHINE)
    return endpoint


def deployed_with(**more: Any) -> aiplatform.Endpoint:
    """A model without a spec, deployed with one."""
    endpoint = aiplatform.Endpoint.create(display_name="explained-later")
    endpoint.deploy(upload("later", serving_container_environment_variables=SUMS), machine_type=MACHINE, **more)
    return endpoint


def test_what_the_features_contribute_adds_up_to_the_prediction(endpoint: aiplatform.Endpoint) -> None:
    """2a is a's own, and the product is shared by halves, within what 20 paths can tell."""
    answer = endpoint.explain([{"a": 3, "b": 4}, {"a": 1, "b": 0}])
    shared, alone = attributions(answer)
    given = dict(shared.feature_attributions)
    assert (shared.baseline_output_value, shared.instance_output_value) == (0, 18)
    assert sum(given.values()) == pytest.approx(18)
    assert given["b"] == pytest.approx(6, abs=3)
    assert 0 < shared.approximation_error < 0.2
    assert dict(alone.feature_attributions) == {"a": 2, "b": 0}
    assert alone.approximation_error == 0
    assert [prediction["score"] for prediction in answer.predictions] == [18, 2]
    assert answer.deployed_model_id == endpoint.list_models()[0].id


def test_the_same_request_is_explained_the_same(endpoint: aiplatform.Endpoint) -> None:
    """A report can be made again."""
    one, other = (attributions(endpoint.explain([{"a": 3, "b": 4}])) for _ in range(2))
    assert one == other


@pytest.mark.usefixtures("endpoint")
def test_lists_text_and_baselines_are_explained_in_the_features_own_shape() -> None:
    """Baselines are averaged; the rest begins at zeros and empty text."""
    features = metadata("a", "b", "list", "origin", b=[0, 2])
    later = deployed_with(explanation_metadata=features, explanation_parameters=parameters(2))
    instance = {"a": 0, "b": 1, "list": [10, 20], "origin": "EWR"}
    (attribution,) = attributions(later.explain([instance]))
    given = dict(attribution.feature_attributions)
    assert ([*given["list"]], given["origin"], given["a"]) == ([10, 20], 7, 0)
    later.delete(force=True)


@pytest.mark.usefixtures("endpoint")
def test_of_several_outputs_the_largest_are_explained_by_name() -> None:
    """The predicted class by default, more when asked for."""
    features = metadata("a", "b", output="classes")
    later = deployed_with(explanation_metadata=features, explanation_parameters=parameters(2))
    instance = {"a": 1, "b": 0}

    def explained(**override: Any) -> list[tuple[list[int], str, float]]:
        request: dict[str, Any] = {"endpoint": later.resource_name, "instances": [instance]}
        if override:
            request["explanationSpecOverride"] = {"parameters": override}
        answer = later._prediction_client.explain(ExplainRequest.from_json(json.dumps(request)))
        return [
            (list(one.output_index), one.output_display_name, one.instance_output_value)
            for one in answer.explanations[0].attributions
        ]

    assert explained() == [([0], "late", 2)]
    assert explained(topK=2) == [([0], "late", 2), ([2], "other", 0)]
    assert explained(outputIndices=[1]) == [([1], "early", -2)]
    later.delete(force=True)


def test_a_model_without_a_spec_is_not_explained(deployed: aiplatform.Endpoint) -> None:
    """Nor does it guess what the features are."""
    with pytest.raises(BadRequest, match="no explanation_spec"):
        deployed.explain([{"a": 1}])


@pytest.mark.parametrize(
    ("instance", "reason"),
    [({"a": 1}, "lacks the features b"), ({"a": 1, "b": "x"}, "500"), (7, "Expected an instance")],
)
def test_an_instance_that_cannot_be_explained_is_refused(
    endpoint: aiplatform.Endpoint, instance: Any, reason: str
) -> None:
    """The message names what is missing."""
    with pytest.raises(Exception, match=reason):
        endpoint.explain([instance])


def test_an_override_is_held_to_what_a_spec_is(endpoint: aiplatform.Endpoint) -> None:
    """One request asks for no more than the service's limit either."""
    request = {
        "endpoint": endpoint.resource_name,
        "instances": [{"a": 1, "b": 1}],
        "explanationSpecOverride": {"parameters": {"sampledShapleyAttribution": {"pathCount": 51}}},
    }
    with pytest.raises(BadRequest, match=r"path_count <= 50\. Got 51"):
        endpoint._prediction_client.explain(ExplainRequest.from_json(json.dumps(request)))


def test_a_model_that_is_not_on_the_endpoint_is_not_found(endpoint: aiplatform.Endpoint) -> None:
    """An explanation may ask for one model of several."""
    chosen = endpoint.list_models()[0].id
    assert endpoint.explain([{"a": 1, "b": 1}], deployed_model_id=chosen).deployed_model_id == chosen
    with pytest.raises(NotFound, match="DeployedModel 77"):
        endpoint.explain([{"a": 1, "b": 1}], deployed_model_id="77")


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (ExplanationParameters(integrated_gradients_attribution={"step_count": 5}), "no gradients"),
        (parameters(51), r"path_count <= 50\. Got 51"),
    ],
)
@pytest.mark.usefixtures("sdk")
def test_a_method_that_a_custom_container_has_not_is_refused(given: ExplanationParameters, reason: str) -> None:
    """When the model is uploaded, not when somebody asks why."""
    with pytest.raises(BadRequest, match=reason):
        upload("refused", explanation_parameters=given, explanation_metadata=metadata("a"))
