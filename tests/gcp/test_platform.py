"""`Platform`: the in-memory twin, and Vertex AI's registry and endpoints through Google's clients."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from google.api_core.exceptions import NotFound
from google.cloud.aiplatform_v1 import EndpointServiceClient, ModelServiceClient

from dropforge.contracts import places
from dropforge.contracts.errors import AlreadyExists, JobFailed, ServiceUnavailable
from dropforge.contracts.settings import Settings
from dropforge.core import canary, candidates, champion
from dropforge.core.ports import Deployed, Platform
from dropforge.core.twins import MemoryPlatform, MemoryVersion
from dropforge.gcp.anonymous import anonymous
from dropforge.gcp.vertex import Vertex
from dropforge.gcp.vertex.endpoints import Endpoints, endpoint_id
from dropforge.gcp.vertex.operations import finished
from dropforge.gcp.vertex.registry import CHAMPION, HEALTH_ROUTE, PREDICT_ROUTE
from dropforge.ml import publishing
from functions import flow
from tests.emulators.launch import Emulator
from tests.gcp.conftest import Start
from tests.ml.published import train
from tests.ml.shop import YAML, Shop

SERVER = Path(__file__).with_name("echo_server.py")
ASKED: list[dict[str, object]] = [{"origin": "JFK"}, {}]


@pytest.fixture(scope="module")
def vertex_emulator(start: Start, tmp_path_factory: pytest.TempPathFactory) -> Emulator:
    """Vertex AI, where one image echoes which candidate it is and another ends at once."""
    table = tmp_path_factory.mktemp("images") / "images.json"
    echo = {"pattern": "*/echo:*", "command": [sys.executable, str(SERVER)]}
    ends = {"pattern": "*/ends:*", "command": [sys.executable, "-c", "raise SystemExit('no artefact there')"]}
    table.write_text(json.dumps({"images": [echo, ends]}))
    return start("vertex", DROPFORGE_VERTEX_IMAGES=str(table))


def settings(emulator: Emulator, image: str = "echo") -> Settings:
    """Of a function that is told where the emulator is."""
    environment = {
        "GOOGLE_CLOUD_PROJECT": "test-project",
        "DROPFORGE_VERTEX_API": emulator.url,
        "DROPFORGE_MODEL_IMAGE": f"registry.local/{image}:1",
    }
    return Settings.read(environment)


def vertex(emulator: Emulator, image: str = "echo") -> Vertex:
    """The adapter as a function makes it."""
    return Vertex.connect(settings(emulator, image))


def echo(version: MemoryVersion, instances: list[dict[str, object]]) -> list[object]:
    """What `echo_server.py` answers."""
    return [{"candidate": version.artefact_uri.rstrip("/").rpartition("/")[2]} for _ in instances]


@pytest.fixture(params=["twin", "emulator"])
def platform(request: pytest.FixtureRequest) -> Iterator[Platform]:
    """A platform with nothing of the pipeline on it."""
    if request.param == "twin":
        yield MemoryPlatform(echo)
        return
    adapter = vertex(request.getfixturevalue("vertex_emulator"))
    yield adapter
    adapter.close()


@pytest.fixture
def pipeline() -> str:
    """A pipeline's name of its own."""
    return f"flights-{uuid4().hex[:8]}"


def publish(platform: Platform, pipeline: str, candidate_id: str) -> Deployed:
    """One publication, as the function does it."""
    deployed = platform.deploy(pipeline, *register(platform, pipeline, candidate_id))
    assert platform.answer(deployed, ASKED) == [{"candidate": candidate_id}] * 2
    platform.serve(deployed)
    platform.retire(deployed)
    return deployed


def register(platform: Platform, pipeline: str, candidate_id: str) -> tuple[str, str]:
    """A version for a candidate."""
    return platform.register(pipeline, candidate_id, f"gs://state/candidates/{pipeline}/{candidate_id}/", "0" * 64)


def test_a_candidate_has_one_version_however_often_it_is_registered(platform: Platform, pipeline: str) -> None:
    """A repeated delivery must not fill the registry with copies."""
    model, version = register(platform, pipeline, "first")
    assert register(platform, pipeline, "second") == (model, "2")
    assert register(platform, pipeline, "first") == (model, version) == (model, "1")


def test_a_challenger_answers_before_it_has_traffic(platform: Platform, pipeline: str) -> None:
    """Nothing may serve that has not answered, and while it is asked the champion goes on serving."""
    champion = publish(platform, pipeline, "first")
    challenger = platform.deploy(pipeline, *register(platform, pipeline, "second"))
    assert platform.answer(challenger, ASKED) == [{"candidate": "second"}] * 2
    assert platform.answer(champion, ASKED) == [{"candidate": "first"}] * 2
    assert challenger.endpoint == champion.endpoint


def test_either_version_is_timed_by_itself(platform: Platform, pipeline: str) -> None:
    """Row by row, as callers ask; of champion and challenger alike."""
    champion = publish(platform, pipeline, "first")
    challenger = platform.deploy(pipeline, *register(platform, pipeline, "second"))
    for deployed in (champion, challenger):
        seconds = platform.timed(deployed, ASKED)
        assert len(seconds) == len(ASKED) and min(seconds) > 0


def test_every_step_of_a_publication_may_be_repeated(platform: Platform, pipeline: str) -> None:
    """A function that dies after any step comes back and does them all again."""
    publish(platform, pipeline, "first")
    assert publish(platform, pipeline, "second") == publish(platform, pipeline, "second")


def test_a_second_deployment_of_a_version_while_the_first_runs_is_refused(
    vertex_emulator: Emulator, clients: dict[str, Any], pipeline: str
) -> None:
    """Two publications whose lease ran out must not put one model twice on the endpoint that serves."""
    adapter = vertex(vertex_emulator)
    model, version = register(adapter, pipeline, "first")
    endpoints = Endpoints(clients["endpoints"], model.partition("/models/")[0])
    serving = endpoints.ensure(pipeline)
    operation = endpoints.deploy(serving, model, version, {})
    with pytest.raises(AlreadyExists):
        endpoints.deploy(serving, model, version, {})
    finished(operation, "The deployment")
    assert len(endpoints.get(serving.name).deployed_models) == 1
    adapter.close()


def test_what_was_retired_answers_no_more(platform: Platform, pipeline: str) -> None:
    """A retired version that still ran would cost money and hide behind the endpoint."""
    first = publish(platform, pipeline, "first")
    publish(platform, pipeline, "second")
    with pytest.raises(ServiceUnavailable):
        platform.answer(first, ASKED)


def test_two_versions_share_the_traffic_and_either_can_have_all_of_it_then(platform: Platform, pipeline: str) -> None:
    """A canary's beginning and both its ends; a repeat of any step changes nothing."""
    champion = publish(platform, pipeline, "first")
    registered = register(platform, pipeline, "second")
    for percent in (10, 50, 50):
        platform.share(champion, platform.deploy(pipeline, *registered), percent)
    assert platform.deploy(pipeline, champion.model, champion.version) == champion
    for taken in (champion, platform.deploy(pipeline, *registered)):
        platform.serve(taken)
    platform.retire(taken)
    assert platform.answer(taken, ASKED) == [{"candidate": "second"}] * 2


def test_a_canary_has_its_share_and_no_replica_on_staging(
    vertex_emulator: Emulator, clients: dict[str, Any], pipeline: str
) -> None:
    """It was rehearsed there; a third replica for the hours of baking would be paid for nothing."""
    adapter = vertex(vertex_emulator)
    champion = publish(adapter, pipeline, "first")
    challenger = adapter.deploy(pipeline, *register(adapter, pipeline, "second"))
    adapter.share(champion, challenger, 10)
    split = clients["endpoints"].get_endpoint(name=champion.endpoint).traffic_split
    assert dict(split) == {champion.deployed_model_id: 90, challenger.deployed_model_id: 10}
    assert list(clients["endpoints"].get_endpoint(name=champion.endpoint + "-staging").deployed_models) == []
    adapter.close()


class OfTheShop(Vertex):
    """The adapter, behind which each version answers as the candidate of the shop that it echoes."""

    shop: Shop

    def answer(self, deployed: Deployed, instances: list[dict[str, object]]) -> list[object]:
        """Of the endpoint that answers for this version alone."""
        (echoed,) = {str(told["candidate"]) for told in super().answer(deployed, instances) if isinstance(told, dict)}
        found = candidates.find(self.shop.state, "shop", echoed)
        assert found is not None
        uri = f"gs://{self.shop.state.bucket}/{places.candidate('shop', echoed)}"
        return self.shop.answer(MemoryVersion(echoed, uri, found.artefact_sha256), instances)


def test_a_person_publishes_the_canary_that_is_under_way(vertex_emulator: Emulator, clients: dict[str, Any]) -> None:
    """It was rehearsed before it began; by then no endpoint answers for it alone, so it cannot be asked again."""
    shop = Shop(text=YAML + "deployment: {canary: [10]}\n")
    adapter = OfTheShop.connect(settings(vertex_emulator))
    adapter.shop = shop
    for name, rows, noise in (("noisy.csv", 600, 1.0), ("clear.csv", 3000, 0.3)):
        candidate = train(shop, name, rows, noise)
        publishing.settle(shop.pipeline, candidate, shop.state, adapter, shop.clock)
    baking, _ = canary.current(shop.state, "shop")
    assert baking is not None and baking.candidate_id == candidate.candidate_id
    said = publishing.override(shop.pipeline, candidate, "ada", "it is good", shop.state, adapter, shop.clock)
    now, _ = champion.current(shop.state, "shop")
    assert now is not None
    assert (said.status, now.candidate_id, now.published_by) == ("published", candidate.candidate_id, "ada")
    split = clients["endpoints"].get_endpoint(name=now.endpoint).traffic_split
    assert dict(split) == {now.deployed_model_id: 100}
    adapter.close()


@pytest.fixture
def clients(vertex_emulator: Emulator) -> Iterator[dict[str, Any]]:
    """Google's clients, to look at what the adapter made."""
    given: dict[str, Any] = {
        "transport": "rest",
        "credentials": anonymous(),
        "client_options": {"api_endpoint": vertex_emulator.url},
    }
    with EndpointServiceClient(**given) as endpoints, ModelServiceClient(**given) as models:
        yield {"endpoints": endpoints, "models": models}


def test_after_a_publication_one_replica_runs_and_one_version_is_champion(
    vertex_emulator: Emulator, clients: dict[str, Any], pipeline: str
) -> None:
    """Two would be paid for, and the alias is what people see in the console."""
    adapter = vertex(vertex_emulator)
    publish(adapter, pipeline, "first")
    last = publish(adapter, pipeline, "second")
    adapter.close()
    serving = clients["endpoints"].get_endpoint(name=last.endpoint)
    staging = clients["endpoints"].get_endpoint(name=last.endpoint + "-staging")
    assert [found.id for found in serving.deployed_models] == [last.deployed_model_id]
    assert dict(serving.traffic_split) == {last.deployed_model_id: 100}
    assert list(staging.deployed_models) == []
    versions = {found.version_id: found for found in clients["models"].list_model_versions(name=last.model)}
    assert [number for number, found in versions.items() if CHAMPION in found.version_aliases] == ["2"]
    assert dict(versions["2"].labels) == {"candidate": "second", "dropforge": pipeline}


def test_the_first_model_of_an_endpoint_gets_no_traffic_by_its_deployment(
    vertex_emulator: Emulator, clients: dict[str, Any], pipeline: str
) -> None:
    """Callers must meet no model that has not answered, the very first included."""
    adapter = vertex(vertex_emulator)
    deployed = adapter.deploy(pipeline, *register(adapter, pipeline, "first"))
    assert dict(clients["endpoints"].get_endpoint(name=deployed.endpoint).traffic_split) == {}
    assert adapter.answer(deployed, ASKED) == [{"candidate": "first"}] * 2
    adapter.close()


def test_a_model_that_does_not_start_fails_with_the_end_of_its_log(vertex_emulator: Emulator, pipeline: str) -> None:
    """The person who reads the refusal has to know why the container ended."""
    adapter = vertex(vertex_emulator, image="ends")
    with pytest.raises(JobFailed, match="no artefact there"):
        adapter.deploy(pipeline, *register(adapter, pipeline, "broken"))
    adapter.close()


def test_nothing_is_made_by_asking_for_what_is_not_there(clients: dict[str, Any], pipeline: str) -> None:
    """The suite's own premise: each test's pipeline starts with no endpoint."""
    parent = "projects/test-project/locations/us-central1"
    with pytest.raises(NotFound):
        clients["endpoints"].get_endpoint(name=f"{parent}/endpoints/{endpoint_id(pipeline)}")


def test_the_routes_are_those_of_the_flow() -> None:
    """flow.yaml is not in a bundle, so the adapter repeats two of its lines; they must not drift."""
    declared = flow.read().containers["model_server"]
    assert (declared.predict_route, declared.health_route) == (PREDICT_ROUTE, HEALTH_ROUTE)
