"""`predict` as a process of its bundle, before a Vertex AI endpoint that runs the model server's bundle."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
import requests
from google.cloud.storage import Client

from dropforge.contracts import logged, places
from dropforge.contracts.models import Candidate, Champion
from dropforge.contracts.settings import Settings
from dropforge.core.ports import Deployed, Platform
from dropforge.gcp.storage import Bucket
from dropforge.gcp.vertex import Vertex
from emulators.ports import free_port
from functions.build import build
from tests.emulators.launch import Emulator
from tests.functions.trained import FLIGHTS, Trained, trained
from tests.gcp.conftest import Start, start, storage_emulator

__all__ = ["start", "storage_emulator"]


@dataclass
class Deployment:
    """A deployment with its state bucket and Vertex AI, in which models can be published."""

    state: Bucket
    vertex: Vertex
    variables: dict[str, str]
    _deployed: dict[str, Any] = field(default_factory=dict)

    def publish(self, model: Trained, pipeline: str = "flights", platform: Platform | None = None) -> Champion:
        """Make a model serve, as `publish` does; on Vertex AI's endpoints unless another platform is given."""
        on = platform or self.vertex
        candidate = model.candidate.model_copy(update={"pipeline": pipeline})
        folder = replace(model, candidate=candidate).store(self.state)
        digests = candidate.artefact_sha256, candidate.compiled_sha256
        registered = on.register(pipeline, candidate.candidate_id, folder, *digests)
        deployed = on.deploy(pipeline, *registered)
        champion = self.pointer(candidate, deployed)
        self.point(champion)
        on.serve(deployed)
        on.retire(deployed)
        return champion

    def pointer(self, candidate: Candidate, deployed: Deployed, replaced: str | None = None) -> Champion:
        """The pointer to a deployed candidate."""
        return Champion(
            pipeline=candidate.pipeline,
            candidate_id=candidate.candidate_id,
            version=deployed.version,
            model=deployed.model,
            endpoint=deployed.endpoint,
            deployed_model_id=deployed.deployed_model_id,
            artefact_sha256=candidate.artefact_sha256,
            trained_until=candidate.lineage.train_until,
            published="2026-01-01T00:00:00+00:00",
            published_by="a test",
            replaced=replaced,
        )

    def point(self, champion: Champion) -> None:
        """Set the champion pointer."""
        place = places.champion(champion.pipeline)
        found = next((info.generation for info in self.state.list(place)), 0)
        self.state.replace(place, champion.model_dump_json().encode(), found)


@dataclass
class Predict:
    """A running `predict`."""

    url: str
    log: Path
    pid: int = 0

    def ask(self, body: Any, pipeline: str = "flights", **given: Any) -> requests.Response:
        """POST to the pipeline; `body` is sent as JSON unless it is bytes."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        url = f"{self.url}/v1/pipelines/{pipeline}:predict"
        headers = {"content-type": "application/json", **given.pop("headers", {})}
        return requests.post(url, data=content, headers=headers, timeout=30, **given)

    def get(self, path: str) -> requests.Response:
        """GET a path."""
        return requests.get(self.url + path, timeout=30)

    def lines(self) -> list[dict[str, Any]]:
        """What it logged, as far as it is JSON."""
        return [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]


@pytest.fixture(scope="session")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundles of the function and of the model server."""
    folder = tmp_path_factory.mktemp("dist")
    build(["predict", "model_server"], out=folder)
    return folder


@pytest.fixture(scope="session")
def vertex_emulator(start: Start, dist: Path, storage_emulator: Emulator) -> Emulator:
    """Vertex AI, where the model server's image is its bundle."""
    command = [sys.executable, "-P", "main.py"]
    image = {"pattern": "*/model-server:*", "command": command, "folder": str(dist / "model_server")}
    table = dist / "images.json"
    table.write_text(json.dumps({"images": [image]}))
    return start("vertex", DROPFORGE_VERTEX_IMAGES=str(table), STORAGE_EMULATOR_HOST=storage_emulator.url)


@pytest.fixture(scope="session")
def pubsub_emulator(start: Start) -> Emulator:
    """Pub/Sub with the topics of the flow that `predict` publishes to, each with a subscription to see what came."""
    running = start("pubsub")
    for topic in (logged.PREDICTIONS_TOPIC, logged.LABELS_TOPIC):
        named = f"projects/predict-test/topics/{topic}"
        requests.put(f"{running.control_url}/v1/{named}", json={}, timeout=10).raise_for_status()
        seen = f"{running.control_url}/v1/projects/predict-test/subscriptions/{topic}"
        requests.put(seen, json={"topic": named}, timeout=10).raise_for_status()
    return running


@pytest.fixture(scope="session")
def deployment(
    storage_emulator: Emulator, vertex_emulator: Emulator, pubsub_emulator: Emulator
) -> Iterator[Deployment]:
    """A deployment with the pipeline `flights` and one published model, and `trips`, which has none."""
    variables = {
        "GOOGLE_CLOUD_PROJECT": "predict-test",
        "STORAGE_EMULATOR_HOST": storage_emulator.url,
        "DROPFORGE_VERTEX_API": vertex_emulator.url,
        "DROPFORGE_PUBSUB_API": pubsub_emulator.control_url,
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STORAGE_EMULATOR_HOST", storage_emulator.url)
        settings = Settings.read(variables)
        with Client(project=settings.project) as client:
            bucket = client.bucket(settings.state_bucket)
            bucket.versioning_enabled = True
            client.create_bucket(bucket)
            made = Deployment(Bucket(client, settings.state_bucket), Vertex.connect(settings), variables)
            for pipeline in ("flights", "trips"):
                made.state.create(places.pipeline_yaml(pipeline), FLIGHTS.read_bytes())
            made.publish(trained())
            yield made
            made.vertex.close()


@pytest.fixture(scope="module")
def predict(deployment: Deployment, dist: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Predict]:
    """The function before the endpoint."""
    with running(dist, tmp_path_factory.mktemp("predict") / "log", deployment.variables) as function:
        yield function


@pytest.fixture(scope="module")
def inline(deployment: Deployment, dist: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Predict]:
    """The function that answers by itself."""
    variables = {**deployment.variables, "DROPFORGE_PREDICT_BACKEND": "inline"}
    with running(dist, tmp_path_factory.mktemp("inline") / "log", variables) as function:
        yield function


@contextmanager
def running(dist: Path, log: Path, given: dict[str, str]) -> Iterator[Predict]:
    """The function, served by functions-framework, as it is in the cloud."""
    port = free_port()
    variables = {**given, "FUNCTION_TARGET": "predict", "PATH": os.defpath}
    command = [sys.executable, "-P", "-m", "uvicorn", "functions_framework.aio:app", "--port", str(port)]
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=dist / "predict", env=variables, stdout=output, stderr=output)
    function = Predict(f"http://127.0.0.1:{port}", log, process.pid)
    try:
        until = time.monotonic() + 30
        while not _ready(function):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < until, log.read_text()
            time.sleep(0.05)
        yield function
    finally:
        process.terminate()
        process.wait(timeout=10)


def _ready(predict: Predict) -> bool:
    try:
        return predict.get("/readyz").ok
    except requests.ConnectionError:
        return False
