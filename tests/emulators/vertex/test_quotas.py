"""Quotas that a test sets, and what the official client makes of them."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from google.api_core.exceptions import TooManyRequests
from google.cloud import aiplatform

from tests.emulators.launch import Emulator
from tests.emulators.vertex.conftest import MACHINE, connect, upload
from tests.emulators.vertex.test_autoscaling import mutated
from tests.emulators.vertex.test_jobs import job
from tests.waiting import until


@pytest.fixture(scope="module")
def running(launch: Callable[..., Emulator]) -> Iterator[Emulator]:
    """An emulator with a quota of its own."""
    with launch(DROPFORGE_VERTEX_QUOTAS="custom_model_training_cpus=2") as own:
        yield own


@pytest.fixture
def own(running: Emulator) -> Iterator[Emulator]:
    """The same for each test, empty."""
    running.control("POST", "/reset").raise_for_status()
    connect(running)
    yield running
    running.control("POST", "/reset").raise_for_status()


def limit(emulator: Emulator, **quotas: int) -> None:
    """Set quotas."""
    emulator.control("POST", "/quotas", dict(quotas)).raise_for_status()


def test_predictions_beyond_a_minutes_quota_are_refused_until_the_next(own: Emulator) -> None:
    """A caller must back off, and learns from the error which quota it was."""
    endpoint = aiplatform.Endpoint.create(display_name="quota")
    endpoint.deploy(upload("quota"), machine_type=MACHINE)
    own.control("POST", "/clock", {"advance_seconds": 60 - own.control("GET", "/clock").json()["now"] % 60})
    limit(own, online_prediction_requests=2)
    assert [len(endpoint.predict([{}]).predictions) for _ in range(2)] == [1, 1]
    with pytest.raises(
        TooManyRequests, match="Quota exceeded for quota metric 'Online prediction requests'"
    ) as refused:
        endpoint.predict([{}])
    assert (refused.value.reason, refused.value.domain) == ("RATE_LIMIT_EXCEEDED", "googleapis.com")
    assert refused.value.metadata["quota_limit_value"] == "2"
    assert endpoint.display_name == "quota"  # other quotas are not touched
    own.control("POST", "/clock", {"advance_seconds": 60})
    assert endpoint.predict([{}]).predictions


def test_a_deployment_that_needs_more_cpus_than_there_are_is_refused(own: Emulator) -> None:
    """By the most replicas that it may have, on machines of two."""
    limit(own, custom_model_serving_cpus=4)
    endpoint, model = aiplatform.Endpoint.create(display_name="cpus"), upload("cpus")
    with pytest.raises(TooManyRequests, match=r"aiplatform\.googleapis\.com/custom_model_serving_cpus"):
        endpoint.deploy(model, machine_type=MACHINE, max_replica_count=3)
    endpoint.deploy(model, machine_type=MACHINE)
    endpoint.deploy(model, machine_type=MACHINE)
    with pytest.raises(TooManyRequests, match=r"at most 4 in us-central1, got 6"):
        endpoint.deploy(model, machine_type=MACHINE)


def test_a_change_that_needs_more_cpus_than_there_are_is_refused(own: Emulator) -> None:
    """The bounds that a model serves by stay as they were, and fewer CPUs are always to be had."""
    limit(own, custom_model_serving_cpus=4)
    endpoint = aiplatform.Endpoint.create(display_name="grown")
    endpoint.deploy(upload("grown"), machine_type=MACHINE, max_replica_count=2)
    with pytest.raises(TooManyRequests, match=r"at most 4 in us-central1, got 6"):
        mutated(endpoint, max_replica_count=3)
    assert endpoint.list_models()[0].dedicated_resources.max_replica_count == 2
    limit(own, custom_model_serving_cpus=1)
    assert mutated(endpoint, max_replica_count=1).dedicated_resources.max_replica_count == 1


def test_a_deployment_under_way_uses_its_cpus(own: Emulator) -> None:
    """Two that begin together have no more than two that begin after each other."""
    limit(own, custom_model_serving_cpus=2)
    endpoint, model = aiplatform.Endpoint.create(display_name="both"), upload("both")
    with own.fault("transition.endpoints.deployModel.done", "delay", delay_seconds=3600):
        resources = {"machine_spec": {"machine_type": MACHINE}}
        deployed: Any = {"model": model.resource_name, "dedicated_resources": resources}
        client: Any = endpoint.api_client
        first = client.deploy_model(endpoint=endpoint.resource_name, deployed_model=deployed)
        with pytest.raises(TooManyRequests, match="got 4"):
            client.deploy_model(endpoint=endpoint.resource_name, deployed_model=deployed)
        until(lambda: own.control("GET", "/faults").json()["faults"][0]["consumed"])
    assert first.result().deployed_model.id


@pytest.mark.usefixtures("own")
def test_a_job_beside_which_there_is_no_room_is_refused(tmp_path: Path) -> None:
    """The quota of the emulator's start: two CPUs, which one job has."""
    slow = job("sleep", tmp_path / "pid")
    slow.submit()
    with pytest.raises(TooManyRequests, match="custom_model_training_cpus"):
        job("sleep", tmp_path / "other").submit()
    slow.cancel()


@pytest.mark.parametrize(
    ("given", "reason"), [({"predictions": 1}, "Expected a quota of"), ({"online_prediction_requests": "few"}, "few")]
)
def test_a_quota_that_is_none_is_refused(own: Emulator, given: dict[str, object], reason: str) -> None:
    """A misspelt quota would limit nothing."""
    answer = own.control("POST", "/quotas", given)
    assert (answer.status_code, reason in answer.json()["error"]) == (400, True)
