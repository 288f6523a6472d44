"""The trainer's bundle as a custom job of the Vertex AI emulator: a process with an environment of its own."""

import json
import sys
from pathlib import Path
from uuid import uuid4

import pytest
from google.cloud.pubsub_v1 import PublisherClient
from google.cloud.storage import Client

from dropforge.contracts import places
from dropforge.contracts.settings import Settings
from dropforge.core import candidates, lease
from dropforge.core.twins import SetClock
from dropforge.gcp.services import WallClock
from dropforge.gcp.storage import Bucket
from dropforge.gcp.vertex.jobs import CustomJobs
from functions.build import build
from functions.train import steps
from tests.emulators.launch import Emulator
from tests.gcp.conftest import Start, start, storage_emulator
from tests.ml.shop import YAML, Shop
from tests.waiting import until

__all__ = ["start", "storage_emulator"]
PROJECT = "trainer-test"


@pytest.fixture
def deployed(start: Start, storage_emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CustomJobs:
    """Vertex AI where the trainer's image is its bundle, beside Cloud Storage and Pub/Sub."""
    (bundle,) = build(["trainer"], out=tmp_path)
    image = {"pattern": "*/trainer:*", "command": [sys.executable, "-P", "main.py"], "folder": str(bundle)}
    table = tmp_path / "images.json"
    table.write_text(json.dumps({"images": [image]}))
    pubsub = start("pubsub")
    told = {"STORAGE_EMULATOR_HOST": storage_emulator.url, "PUBSUB_EMULATOR_HOST": pubsub.url.removeprefix("http://")}
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    with PublisherClient() as publisher:
        publisher.create_topic(name=f"projects/{PROJECT}/topics/model-trained")
    vertex = start("vertex", DROPFORGE_VERTEX_IMAGES=str(table), **told)
    settings = {"GOOGLE_CLOUD_PROJECT": PROJECT, "DROPFORGE_VERTEX_API": vertex.url}
    return CustomJobs.connect(Settings.read(settings))


def test_a_large_training_runs_as_a_custom_job_with_the_same_result(deployed: CustomJobs) -> None:
    """Real client, real process, real buckets; only the limit is lowered. It frees the lease when it is done."""
    settings = Settings.read({"GOOGLE_CLOUD_PROJECT": PROJECT})
    with Client(project=PROJECT) as client:
        bucket = client.bucket(settings.state_bucket)
        bucket.versioning_enabled = True
        client.create_bucket(bucket)
        state = Bucket(client, settings.state_bucket)
        here, there = Shop(), Shop(state=state)  # type: ignore[arg-type]  # a real bucket in place of the twin
        place = places.pipeline_yaml("shop")
        text = YAML.replace("MODE", "dynamic").replace("seed: 3", "seed: 3, function_seconds: 1")
        state.replace(place, text.encode(), state.stat(place).generation)
        steps.on_batch(here.land("a.csv"), "1", steps.World(here.state, here.topics, SetClock(), lambda: here.jobs))
        event, clock = there.land("a.csv"), WallClock()
        for _ in range(2):
            steps.on_batch(event, uuid4().hex[:6], steps.World(state, there.topics, clock, lambda: deployed))
        until(lambda: candidates.newest(state, "shop") is not None, 120)
        until(lambda: lease.holder(state, places.lease("shop", "train"), clock) is None)
        made, expected = candidates.newest(state, "shop"), candidates.newest(here.state, "shop")
    deployed.close()
    assert made is not None and expected is not None
    assert made.artefact_sha256 == expected.artefact_sha256
    assert made.compiled_sha256 == expected.compiled_sha256
    assert made.took is not None and made.expected is not None
