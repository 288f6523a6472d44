"""The emulator as a process: what survives, what is left behind, faults, and calls that are not there."""

import os
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests
from google.api_core.exceptions import GoogleAPICallError, ServiceUnavailable
from google.cloud import aiplatform

from tests.emulators.launch import Emulator
from tests.emulators.vertex.conftest import MACHINE, connect, upload
from tests.emulators.vertex.test_predictions import answered_again
from tests.waiting import until

pytestmark = pytest.mark.usefixtures("sdk")


def running(pid: int) -> bool:
    """Whether this process is alive, waiting up to five seconds for its end."""
    for _ in range(50):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return False
        if state == "Z":
            return False
        time.sleep(0.1)
    return True


def test_state_and_processes_are_whole_after_kill_9(launch: Callable[..., Emulator], tmp_path: Path) -> None:
    """Whatever was acknowledged is there again, the model servers are started again, and the old ones are gone."""
    with launch(tmp_path / "data") as first:
        connect(first)
        model = upload("durable", version_aliases=["champion"])
        endpoint = aiplatform.Endpoint.create(display_name="durable")
        endpoint.deploy(model, machine_type=MACHINE)
        server, split = int(endpoint.predict([{}]).predictions[0]["pid"]), endpoint.traffic_split
        first.kill()
        assert not running(server)
    with launch(tmp_path / "data") as second:
        connect(second)
        again = aiplatform.Endpoint(endpoint.resource_name)
        assert again.traffic_split == split
        assert set(aiplatform.Model(model.resource_name).version_aliases) == {"champion", "default"}
        assert answered_again(again) != server


def test_an_operation_that_was_acknowledged_is_carried_out_after_kill_9(
    launch: Callable[..., Emulator], tmp_path: Path
) -> None:
    """The publisher holds an operation's name and waits for it, whatever happens to the emulator."""
    with launch(tmp_path / "data") as first:
        connect(first)
        model = upload("resumed")
        endpoint = aiplatform.Endpoint.create(display_name="resumed")
        body = {"deployedModel": {"model": model.resource_name, "dedicatedResources": {}}, "trafficSplit": {"0": 100}}
        url = f"/v1/{endpoint.resource_name}:deployModel"
        operation = requests.post(first.url + url, json=body, timeout=10).json()
        assert operation["done"] is False
        first.kill()
    with launch(tmp_path / "data") as second:
        for _ in range(100):
            found = requests.get(f"{second.url}/v1/{operation['name']}", timeout=10).json()
            if found["done"]:
                break
            time.sleep(0.1)
        assert found["response"]["deployedModel"]["modelVersionId"] == "1"
        connect(second)
        assert len(aiplatform.Endpoint(endpoint.resource_name).predict([{}]).predictions) == 1


def test_a_killed_replica_is_replaced_and_the_others_answer_meanwhile() -> None:
    """One of two dies: no request that was not in flight in it fails."""
    endpoint = aiplatform.Endpoint.create(display_name="pair")
    endpoint.deploy(upload("pair"), machine_type=MACHINE, min_replica_count=2, max_replica_count=2)
    pids = {int(endpoint.predict([{}]).predictions[0]["pid"]) for _ in range(4)}
    victim = pids.pop()
    os.kill(victim, signal.SIGKILL)
    assert not running(victim)
    seen = set()
    for _ in range(100):
        seen.add(int(endpoint.predict([{}]).predictions[0]["pid"]))
        if len(seen - {victim}) == 2:
            break
        time.sleep(0.05)
    assert len(seen - {victim}) == 2
    endpoint.delete(force=True)


def test_undeploying_stops_the_processes_after_their_requests() -> None:
    """A request that runs when its model is undeployed is answered."""
    endpoint = aiplatform.Endpoint.create(display_name="drained")
    endpoint.deploy(upload("drained"), machine_type=MACHINE)
    pid = int(endpoint.predict([{}]).predictions[0]["pid"])
    with ThreadPoolExecutor() as pool:
        slow = pool.submit(endpoint.predict, [{"sleep": 0.7}])
        time.sleep(0.2)
        endpoint.undeploy_all()
        assert slow.result().predictions[0]["pid"] == pid
    assert not running(pid)


def deploying(emulator: Emulator, endpoint: aiplatform.Endpoint) -> dict[str, Any]:
    """A deployment's operation, not waited for."""
    body = {"deployedModel": {"model": upload("vain").resource_name, "dedicatedResources": {}}}
    url = f"{emulator.url}/v1/{endpoint.resource_name}:deployModel"
    return dict(requests.post(url, json=body, timeout=10).json())


def serving(emulator: Emulator, endpoint: aiplatform.Endpoint) -> list[int]:
    """The processes of an endpoint."""
    processes = emulator.control("GET", "/health").json()["processes"]
    return [each["pid"] for each in processes if each["endpoint"] == endpoint.resource_name]


AT_ITS_END = "transition.endpoints.deployModel.done"


def test_a_deployment_that_fails_at_its_end_leaves_no_process(sdk: Emulator) -> None:
    """Nobody could undeploy what no endpoint shows."""
    endpoint = aiplatform.Endpoint.create(display_name="vain")
    with sdk.fault(AT_ITS_END, "error"):
        operation = f"{sdk.url}/v1/{deploying(sdk, endpoint)['name']}"
        until(lambda: requests.get(operation, timeout=10).json()["done"])
    assert requests.get(operation, timeout=10).json()["error"]["code"] == 14  # UNAVAILABLE
    assert serving(sdk, endpoint) == []
    endpoint.delete()


@pytest.mark.parametrize("ending", ["cancel", "reset"])
def test_a_deployment_that_is_stopped_at_its_end_leaves_no_process(
    launch: Callable[..., Emulator], ending: str
) -> None:
    """By its caller, or with the emulator's work."""
    with launch() as own:
        connect(own)
        endpoint = aiplatform.Endpoint.create(display_name="stopped")
        order = {"operation": AT_ITS_END, "action": "delay", "delay_seconds": 3600}
        own.control("POST", "/faults", order).raise_for_status()
        operation = f"{own.url}/v1/{deploying(own, endpoint)['name']}"
        until(lambda: serving(own, endpoint))
        (pid,) = serving(own, endpoint)
        assert requests.get(operation, timeout=10).json()["done"] is False
        if ending == "cancel":
            requests.post(f"{operation}:cancel", timeout=10).raise_for_status()
        else:
            own.control("POST", "/reset").raise_for_status()
        assert not running(pid)
        assert serving(own, endpoint) == []


def test_a_fault_is_suffered_by_its_call_and_says_so(sdk: Emulator, deployed: aiplatform.Endpoint) -> None:
    """A fault test proves its point only when the fault was consumed."""
    order = {"id": "v1", "operation": "aiplatform.endpoints.predict", "action": "error", "status": 503}
    assert sdk.control("POST", "/faults", order).status_code == 201
    with pytest.raises(ServiceUnavailable, match="v1"):
        deployed.predict([{}])
    assert sdk.control("GET", "/faults/v1").json()["consumed"] == 1
    assert deployed.predict([{}]).predictions


def test_a_lost_answer_means_done_and_untold(sdk: Emulator) -> None:
    """The publisher must find the version that it does not know to be there."""
    model = upload("untold")
    sdk.control("POST", "/faults", {"id": "v2", "operation": "aiplatform.models.upload", "action": "lose_answer"})
    with pytest.raises((GoogleAPICallError, requests.ConnectionError)):
        upload("untold", parent_model=model.resource_name)
    assert sdk.control("GET", "/faults/v2").json()["consumed"] == 1
    assert {version.version_id for version in model.versioning_registry.list_versions()} == {"1", "2"}


def test_a_call_that_is_not_there_is_named(sdk: Emulator) -> None:
    """501 and a name: nobody has to guess what is missing."""
    answer = requests.get(f"{sdk.url}/v1/projects/p/locations/us-central1/featurestores", timeout=10)
    assert (answer.status_code, answer.json()["error"]["status"]) == (501, "UNIMPLEMENTED")
    assert "aiplatform.featurestores.list" in answer.json()["error"]["message"]


def test_reset_forgets_and_stops_and_seed_creates(launch: Callable[..., Emulator]) -> None:
    """The state before a test is the test's own."""
    with launch() as own:
        connect(own)
        endpoint = aiplatform.Endpoint.create(display_name="before")
        endpoint.deploy(upload("before"), machine_type=MACHINE)
        pid = int(endpoint.predict([{}]).predictions[0]["pid"])
        assert own.control("POST", "/reset").json() == {"reset": True}
        assert not running(pid)
        path = "/v1/projects/test-project/locations/us-central1/endpoints"
        call = {"method": "POST", "path": path, "body": {"displayName": "after"}}
        assert own.control("POST", "/seed", {"calls": [call]}).json() == {"seeded": True}
        assert [found.display_name for found in aiplatform.Endpoint.list()] == ["after"]
        assert aiplatform.Model.list() == []
