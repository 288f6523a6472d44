"""A Vertex AI emulator, a table of images that plays `test/model-server`, and the unmodified client."""

import contextlib
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from google.api_core.exceptions import NotFound
from google.cloud import aiplatform, bigquery
from google.cloud.aiplatform import initializer, jobs
from google.cloud.storage import Bucket, Client

from tests.cloud import LOCATION, PROJECT, also_in_the_cloud, is_cloud, setting
from tests.emulators.launch import Emulator, anonymous

HERE = Path(__file__).parent
IMAGE = "europe-docker.pkg.dev/p/test/model-server:1"
MACHINE = "n1-standard-2"
SERVED = {"image": IMAGE}
UPLOADED: list[str] = []  # names, so that what a real project was given can be taken from it again


@pytest.fixture(scope="session")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The table of images."""
    table = tmp_path_factory.mktemp("images") / "images.json"
    server = {"pattern": "*test/model-server*", "command": [sys.executable, "model_server.py"], "folder": str(HERE)}
    job = {"pattern": "*test/job*", "command": [sys.executable, "job.py"], "folder": str(HERE)}
    executor = {"pattern": "*training/python*", "command": [sys.executable]}
    table.write_text(json.dumps({"images": [server, job, executor]}))
    return table


@pytest.fixture(scope="session")
def launch(images: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Emulator]:
    """Makes an emulator that knows the images; `with` it."""

    def made(data: Path | None = None, **variables: str) -> Emulator:
        errors = tmp_path_factory.mktemp("vertex") / "errors.log"
        return Emulator("vertex", errors, data, 0, DROPFORGE_VERTEX_IMAGES=str(images), **variables)

    return made


@pytest.fixture(scope="session")
def emulator(launch: Callable[..., Emulator]) -> Iterator[Emulator]:
    """One in memory, shared by tests that make their own resources."""
    with launch(DROPFORGE_VERTEX_START_SECONDS="2") as running:
        yield running


@pytest.fixture(scope="session")
def bucket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bucket]:
    """A bucket of the Cloud Storage emulator."""
    with Emulator("storage", tmp_path_factory.mktemp("storage") / "errors.log") as running:
        client = Client("test-project", anonymous(), client_options={"api_endpoint": running.url})
        yield client.create_bucket("batch")
        client.close()


@pytest.fixture(scope="session")
def bigquery_emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """One in memory, shared by tests that make their own data sets."""
    with Emulator("bigquery", tmp_path_factory.mktemp("bigquery") / "errors.log") as running:
        yield running


@pytest.fixture(scope="session")
def beside(bucket: Bucket, bigquery_emulator: Emulator, launch: Callable[..., Emulator]) -> Iterator[Emulator]:
    """A Vertex AI emulator that knows the bucket's and BigQuery's; tests may move its clock."""
    storage = bucket.client.api_endpoint
    with launch(STORAGE_EMULATOR_HOST=storage, BIGQUERY_EMULATOR_HOST=bigquery_emulator.url) as running:
        yield running


@pytest.fixture(scope="module")
def warehouse(beside: Emulator, bigquery_emulator: Emulator) -> Iterator[bigquery.Client]:
    """A client of BigQuery, and the SDK pointed at the emulator beside it; jobs are asked for often."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BIGQUERY_EMULATOR_HOST", bigquery_emulator.url)
        patch.setattr(jobs, "_JOB_WAIT_TIME", 0.05)
        connect(beside)
        with bigquery.Client(project="test-project", credentials=anonymous()) as client:
            yield client


def connect(emulator: Emulator) -> None:
    """Point the SDK at an emulator, as a user does."""
    aiplatform.init(
        project="test-project",
        location="us-central1",
        api_endpoint=emulator.url,
        api_transport="rest",
        credentials=anonymous(),
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Modules that take part run on the real service too."""
    also_in_the_cloud(metafunc, "sdk")


@pytest.fixture
def sdk(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator | None]:
    """The shared emulator, with the SDK pointed at it; or the real service, where models are deleted afterwards."""
    if not is_cloud(request):
        emulator: Emulator = request.getfixturevalue("emulator")
        connect(emulator)
        yield emulator
        return
    monkeypatch.setitem(SERVED, "image", setting("CLOUD_TEST_IMAGE"))
    fresh = type(initializer.global_config)()  # one that no test has pointed at an emulator
    fresh.init(project=PROJECT, location=LOCATION)
    monkeypatch.setattr(initializer, "global_config", fresh)
    UPLOADED.clear()
    yield None
    for name in dict.fromkeys(UPLOADED):
        with contextlib.suppress(NotFound):  # the test itself has deleted it
            aiplatform.Model(name).delete()


def upload(name: str, **more: object) -> aiplatform.Model:
    """A model whose container is the test's model server."""
    given: dict[str, object] = {
        "display_name": name,
        "serving_container_image_uri": SERVED["image"],
        "serving_container_predict_route": "/predict",
        "serving_container_health_route": "/healthz",
    }
    model: aiplatform.Model = aiplatform.Model.upload(**given | more)
    UPLOADED.append(model.resource_name)
    return model


@pytest.fixture(scope="session")
def deployed(emulator: Emulator) -> aiplatform.Endpoint:
    """An endpoint with one model, for tests that only predict."""
    connect(emulator)
    endpoint = aiplatform.Endpoint.create(display_name="shared")
    endpoint.deploy(upload("shared", artifact_uri="gs://bucket/artefact"), machine_type=MACHINE)
    return endpoint
