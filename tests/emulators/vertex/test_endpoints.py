"""Endpoints and what is deployed to them, through the official client."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
from google.api_core.exceptions import BadRequest, FailedPrecondition
from google.cloud import aiplatform

from tests.emulators.vertex.conftest import MACHINE, upload

pytestmark = pytest.mark.usefixtures("sdk")


def test_an_endpoint_is_created_found_changed_and_deleted() -> None:
    """The publisher finds a pipeline's endpoint, or creates it."""
    endpoint = aiplatform.Endpoint.create(display_name="life", labels={"pipeline": "life"})
    for filter_ in ('display_name="life"', 'labels.pipeline="life"'):
        assert [found.name for found in aiplatform.Endpoint.list(filter=filter_)] == [endpoint.name]
    endpoint.update(display_name="life-2", labels={"a": "b"})
    assert (aiplatform.Endpoint(endpoint.name).display_name, endpoint.labels) == ("life-2", {"a": "b"})
    endpoint.delete()
    assert aiplatform.Endpoint.list(filter='display_name="life-2"') == []


def test_a_deployed_model_gets_the_containers_variables(deployed: aiplatform.Endpoint) -> None:
    """The model server knows nothing but these."""
    (answer,) = deployed.predict([{}]).predictions
    told = answer["environment"]
    assert told["AIP_STORAGE_URI"] == "gs://bucket/artefact"
    assert (told["AIP_MODE"], told["AIP_FRAMEWORK"]) == ("PREDICTION", "CUSTOM_CONTAINER")
    assert (told["AIP_ENDPOINT_ID"], told["AIP_PREDICT_ROUTE"], told["AIP_HEALTH_ROUTE"]) == (
        deployed.name,
        "/predict",
        "/healthz",
    )
    assert told["AIP_DEPLOYED_MODEL_ID"] == deployed.list_models()[0].id


def test_an_answer_names_the_model_that_gave_it(deployed: aiplatform.Endpoint) -> None:
    """Each prediction is logged with its version."""
    answer = deployed.predict([{"x": 1}, {"x": 2}])
    (model,) = deployed.list_models()
    assert (answer.deployed_model_id, answer.model_version_id) == (model.id, "1")
    assert answer.model_resource_name == model.model
    assert [prediction["instance"] for prediction in answer.predictions] == [{"x": 1}, {"x": 2}]


def test_a_model_without_routes_gets_the_services_own() -> None:
    """Routes are optional in the contract."""
    endpoint = aiplatform.Endpoint.create(display_name="routes")
    routes = {"serving_container_predict_route": None, "serving_container_health_route": None}
    endpoint.deploy(upload("routes", **routes), machine_type=MACHINE)
    told = endpoint.predict([{}]).predictions[0]["environment"]
    assert (
        told["AIP_PREDICT_ROUTE"]
        == f"/v1/endpoints/{endpoint.name}/deployedModels/{endpoint.list_models()[0].id}:predict"
    )


def test_two_versions_share_the_traffic_exactly() -> None:
    """A canary of 30 percent gets 30 of 100 requests, not about 30."""
    endpoint = aiplatform.Endpoint.create(display_name="split")
    first = upload("split")
    endpoint.deploy(first, machine_type=MACHINE)
    second = upload("split", parent_model=first.resource_name, is_default_version=False)
    endpoint.deploy(second, machine_type=MACHINE, traffic_percentage=30)
    assert Counter(endpoint.predict([{}]).model_version_id for _ in range(100)) == {"1": 70, "2": 30}
    ids = {model.model_version_id: model.id for model in endpoint.list_models()}
    endpoint.update(traffic_split={ids["2"]: 100})
    assert {endpoint.predict([{}]).model_version_id for _ in range(5)} == {"2"}
    endpoint.undeploy(ids["1"])
    assert [model.model_version_id for model in endpoint.list_models()] == ["2"]


def test_a_deployed_model_is_not_deleted_and_a_used_endpoint_neither(deployed: aiplatform.Endpoint) -> None:
    """What serves is not pulled away."""
    with pytest.raises(BadRequest, match="is deployed or being deployed"):
        aiplatform.Model(deployed.list_models()[0].model).delete()
    with pytest.raises(BadRequest, match="Undeploy them first"):
        deployed.delete()


def test_a_model_with_traffic_is_not_undeployed_beside_another() -> None:
    """Requests would have nowhere to go."""
    endpoint = aiplatform.Endpoint.create(display_name="held")
    for percentage in (100, 0):
        endpoint.deploy(upload("held"), machine_type=MACHINE, traffic_percentage=percentage)
    busy = next(deployed for deployed, share in endpoint.traffic_split.items() if share == 100)
    with pytest.raises(BadRequest, match="has traffic"):
        endpoint.api_client.undeploy_model(endpoint=endpoint.resource_name, deployed_model_id=busy)
    endpoint.delete(force=True)


def test_a_split_must_add_up_and_name_what_is_deployed(deployed: aiplatform.Endpoint) -> None:
    """A wrong split must not lose requests."""
    (model,) = deployed.list_models()
    for split in ({model.id: 99}, {"77": 100}):
        with pytest.raises(BadRequest, match="raffic"):
            deployed.update(traffic_split=split)


def test_several_replicas_take_turns_and_their_number_can_change() -> None:
    """minReplicaCount processes run, and mutateDeployedModel changes how many."""
    endpoint = aiplatform.Endpoint.create(display_name="replicas")
    endpoint.deploy(upload("replicas"), machine_type=MACHINE, min_replica_count=2, max_replica_count=2)
    assert len({endpoint.predict([{}]).predictions[0]["pid"] for _ in range(4)}) == 2
    (model,) = endpoint.list_models()
    resources = {"min_replica_count": 1, "max_replica_count": 1}
    mutation = {"deployed_model": {"id": model.id, "dedicated_resources": resources}}
    mask = {"paths": ["dedicated_resources.min_replica_count", "dedicated_resources.max_replica_count"]}
    endpoint.api_client.mutate_deployed_model(
        {"endpoint": endpoint.resource_name, "update_mask": mask, **mutation}
    ).result()
    assert len({endpoint.predict([{}]).predictions[0]["pid"] for _ in range(4)}) == 1
    endpoint.delete(force=True)


def test_an_endpoint_without_a_model_says_so() -> None:
    """Not ready is not the same as absent."""
    endpoint = aiplatform.Endpoint.create(display_name="empty")
    with pytest.raises(BadRequest, match="no deployed model"):
        endpoint.predict([{}])


@pytest.mark.parametrize(
    ("variables", "reason"),
    [
        ({"TEST_FAIL": "exit"}, r"(?s)Exit status 1.*the artefact cannot be read"),
        ({"TEST_FAIL": "hang"}, r"(?s)never became ready.*starting"),
    ],
)
def test_a_deployment_that_is_never_healthy_fails_with_the_log(variables: dict[str, str], reason: str) -> None:
    """The publisher passes the reason on; the endpoint is as before."""
    endpoint = aiplatform.Endpoint.create(display_name="never")
    model = upload("never", serving_container_environment_variables=variables)
    with pytest.raises(FailedPrecondition, match=reason):
        endpoint.deploy(model, machine_type=MACHINE)
    assert (endpoint.list_models(), endpoint.traffic_split) == ([], {})


def test_an_image_that_nothing_plays_fails_the_deployment_by_name() -> None:
    """The message says which table lacks what."""
    endpoint = aiplatform.Endpoint.create(display_name="image")
    model = upload("image", serving_container_image_uri="gcr.io/somebody/else:1")
    with pytest.raises(FailedPrecondition, match=r"'gcr.io/somebody/else:1' is not in the table .*images.json"):
        endpoint.deploy(model, machine_type=MACHINE)


def test_no_request_fails_while_one_version_replaces_another() -> None:
    """A champion is replaced in full traffic: deploy, shift, undeploy."""
    endpoint = aiplatform.Endpoint.create(display_name="replaced")
    first = upload("replaced")
    endpoint.deploy(first, machine_type=MACHINE)
    second = upload("replaced", parent_model=first.resource_name, is_default_version=False)
    ended = Event()

    def ask() -> list[str]:
        seen = []
        while not ended.is_set():
            seen.append(str(endpoint.predict([{}]).model_version_id))
        return seen

    with ThreadPoolExecutor(3) as pool:
        askers = [pool.submit(ask) for _ in range(3)]
        try:
            endpoint.deploy(second, machine_type=MACHINE, traffic_percentage=50)
            ids = {model.model_version_id: model.id for model in endpoint.list_models()}
            endpoint.update(traffic_split={ids["2"]: 100})
            endpoint.undeploy(ids["1"])
        finally:
            ended.set()
        answers = [asker.result() for asker in askers]
    assert {version for seen in answers for version in seen} == {"1", "2"}
    assert {seen[-1] for seen in answers} == {"2"}
