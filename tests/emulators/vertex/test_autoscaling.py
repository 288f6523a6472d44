"""Replicas follow the load between their bounds, on a clock that the test moves."""

from typing import Any

import pytest
from google.api_core.exceptions import BadRequest
from google.cloud import aiplatform

from tests.emulators.launch import Emulator
from tests.emulators.vertex.conftest import MACHINE, connect, upload
from tests.waiting import until


@pytest.fixture
def own(beside: Emulator) -> Emulator:
    """An emulator whose clock a test may move."""
    connect(beside)
    return beside


def advance(emulator: Emulator, seconds: float) -> None:
    """Move the clock; what is due to be scaled is."""
    emulator.control("POST", "/clock", {"advance_seconds": seconds}).raise_for_status()


def scaled(name: str, **targets: Any) -> aiplatform.Endpoint:
    """One to three replicas."""
    endpoint = aiplatform.Endpoint.create(display_name=name)
    endpoint.deploy(upload(name), machine_type=MACHINE, min_replica_count=1, max_replica_count=3, **targets)
    return endpoint


def available(endpoint: aiplatform.Endpoint) -> int:
    """As the endpoint itself says."""
    (model,) = endpoint.list_models()
    assert model.status is not None
    return int(model.status.available_replica_count)


def test_requests_bring_replicas_at_once_and_rest_takes_them_after_five_minutes(own: Emulator) -> None:
    """A burst is served, and the next one soon after it finds the replicas still there."""
    endpoint = scaled("burst", autoscaling_target_request_count_per_minute=10)
    advance(own, 15)
    for _ in range(40):
        endpoint.predict([{}])
    advance(own, 15)
    until(lambda: available(endpoint) == 3)
    assert len({endpoint.predict([{}]).predictions[0]["pid"] for _ in range(6)}) == 3
    advance(own, 200)
    processes = own.control("GET", "/health").json()["processes"]
    assert sum(process["endpoint"] == endpoint.resource_name for process in processes) == 3
    advance(own, 301)
    advance(own, 15)
    until(lambda: available(endpoint) == 1)
    endpoint.delete(force=True)


def test_work_brings_replicas_by_the_share_of_the_machine_that_it_takes(own: Emulator) -> None:
    """The default: the CPU of the model servers themselves."""
    endpoint = scaled("busy", autoscaling_target_cpu_utilization=1)

    def worked() -> bool:
        endpoint.predict([{"spin": 0.7}])
        advance(own, 15)
        return available(endpoint) == 3

    until(worked)
    endpoint.delete(force=True)


def mutated(endpoint: aiplatform.Endpoint, **resources: int) -> Any:
    """The endpoint's model once its resources are changed."""
    (model,) = endpoint.list_models()
    client: Any = endpoint.api_client
    request = {
        "endpoint": endpoint.resource_name,
        "deployed_model": {"id": model.id, "dedicated_resources": resources, "disable_container_logging": True},
        "update_mask": {"paths": ["dedicated_resources.min_replica_count", "disable_container_logging"]},
    }
    return client.mutate_deployed_model(request).result().deployed_model


def test_a_bound_that_is_not_given_stays(own: Emulator) -> None:
    """The replicas are held to what is then stored, and what would contradict itself is refused."""
    endpoint = scaled("kept")
    mutated(endpoint, min_replica_count=3)
    advance(own, 15)  # the next look at the load is 15 seconds away
    resources = mutated(endpoint, min_replica_count=2).dedicated_resources
    assert (resources.min_replica_count, resources.max_replica_count) == (2, 3)
    assert available(endpoint) == 3
    with pytest.raises(BadRequest, match=r"max_replica_count. Got 2 and 1"):
        mutated(endpoint, max_replica_count=1)
    endpoint.delete(force=True)


def test_bounds_are_changed_while_it_serves(own: Emulator) -> None:
    """A new least is there when the change is done, a new most is kept to."""
    endpoint = scaled("bounds")
    assert mutated(endpoint, min_replica_count=2, max_replica_count=3).disable_container_logging
    assert available(endpoint) == 2
    resources = mutated(endpoint, min_replica_count=1, max_replica_count=1).dedicated_resources
    assert resources.machine_spec.machine_type == MACHINE
    assert available(endpoint) == 1
    advance(own, 15)
    assert available(endpoint) == 1
    endpoint.delete(force=True)
