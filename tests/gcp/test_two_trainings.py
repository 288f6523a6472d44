"""Two whole trainings that end at once, in two processes on real preconditions: one champion, and a whole state."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import cast
from uuid import uuid4

import pytest
from google.cloud.aiplatform_v1 import EndpointServiceClient
from google.cloud.pubsub_v1 import PublisherClient
from google.cloud.storage import Client

from dropforge.contracts.settings import Settings
from dropforge.core import candidates, champion, history, verdicts
from dropforge.core.ports import Objects
from dropforge.core.twins import MemoryObjects
from dropforge.gcp.storage import Bucket
from dropforge.gcp.vertex.connection import Connection
from functions import flow
from tests.emulators.launch import Emulator
from tests.gcp.conftest import Start
from tests.ml.shop import YAML, Shop

REPO = Path(__file__).parents[2]
SERVER = REPO / "functions" / "model_server" / "main.py"
PREFERRED = YAML.replace("min_slice_rows: 50", "min_slice_rows: 50, prefer: fresher")


@pytest.fixture(scope="module")
def vertex(start: Start, storage_emulator: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Emulator:
    """Vertex AI, whose endpoints run the real model server."""
    images = tmp_path_factory.mktemp("images") / "images.json"
    server = {"pattern": "*", "command": [sys.executable, str(SERVER)], "environment": {"PYTHONPATH": f"{REPO}/shared"}}
    images.write_text(json.dumps({"images": [server]}))
    return start("vertex", DROPFORGE_VERTEX_IMAGES=str(images), STORAGE_EMULATOR_HOST=storage_emulator.url)


@pytest.fixture(scope="module")
def pubsub(start: Start) -> Emulator:
    """Pub/Sub."""
    return start("pubsub")


@pytest.fixture
def settings(vertex: Emulator, pubsub: Emulator, bucket_name: str, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A deployment in a project of its own."""
    project = f"test-{uuid4().hex[:8]}"
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", pubsub.url)
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", project)
    monkeypatch.setenv("DROPFORGE_STATE_BUCKET", bucket_name)
    monkeypatch.setenv("DROPFORGE_VERTEX_API", vertex.url)
    publisher = PublisherClient()
    for topic in flow.read().topics:
        publisher.create_topic(name=f"projects/{project}/topics/{topic}")
    publisher.stop()
    publisher.transport.close()
    return Settings.read()


@pytest.fixture
def state(settings: Settings) -> Iterator[Objects]:
    """The state bucket."""
    with Client(project=settings.project) as client:
        yield Bucket(client, settings.state_bucket)


def process(name: str, held: str, *batches: str) -> subprocess.Popen[str]:
    """A process that trains on these batches."""
    command = [sys.executable, "-m", "tests.gcp.whole_training", name, held, *batches]
    pipes = subprocess.PIPE
    environment = os.environ | {"PYTHONPATH": f"{REPO}{os.pathsep}{REPO / 'shared'}"}
    return subprocess.Popen(command, stdin=pipes, stdout=pipes, text=True, cwd=REPO, env=environment)


def said(of: subprocess.Popen[str]) -> list[str]:
    """What it says next."""
    assert of.stdout is not None
    return of.stdout.readline().split()


def both_end_at_once(first: subprocess.Popen[str], second: subprocess.Popen[str]) -> tuple[set[str], list[str]]:
    """Let both train, then publish at the same moment; returns the candidates, and what became of each."""
    both = [first, second]
    trained = {said(one)[1] for one in both}
    for one in both:
        assert one.stdin is not None
        one.stdin.write("\n")
        one.stdin.flush()
    settled = [said(one)[1] for one in both]
    assert [one.wait(timeout=60) for one in both] == [0, 0]
    for one in both:
        one.communicate()
    return trained, settled


def assert_whole(state: Objects, settings: Settings) -> str:
    """Pointer, history, traffic and deployments say the same; returns the champion."""
    now, _ = champion.current(state, "shop")
    assert now is not None
    entries = list(history.entries(state, "shop"))
    assert entries[-1].candidate_id == now.candidate_id
    assert len({entry.candidate_id for entry in entries}) == len(entries)
    assert [entry.replaced for entry in entries] == [None, *(entry.version for entry in entries[:-1])]
    to = Connection.of(settings)
    with EndpointServiceClient(**to.client) as client:
        serving = client.get_endpoint(name=now.endpoint)
        staging = client.get_endpoint(name=f"{now.endpoint}-staging")
    assert [one.id for one in serving.deployed_models] == [now.deployed_model_id]
    assert dict(serving.traffic_split) == {now.deployed_model_id: 100}
    assert not staging.deployed_models
    return now.candidate_id


@pytest.mark.parametrize("held", ["held", "overtaken"])
def test_of_two_trainings_that_end_at_once_one_serves_and_the_other_has_a_verdict(
    state: Objects, settings: Settings, held: str
) -> None:
    """Whoever is first, with the lease or after it ran out, what knows less never replaces what knows more."""
    shop = Shop(text=PREFERRED, state=cast(MemoryObjects, state))
    early, late = shop.land("early").batch_id, shop.land("late").batch_id
    trained, settled = both_end_at_once(process("early", held, early), process("late", held, early, late))
    assert trained == set(candidates.listed(state, "shop")) and len(trained) == 2
    serves = assert_whole(state, settings)
    published = {one for one in trained if _word(state, one) == "published"}
    assert {entry.candidate_id for entry in history.entries(state, "shop")} == published
    assert sorted(settled) == sorted(_word(state, one) for one in trained)
    assert serves == max(published, key=lambda one: _rows(state, one))


def test_two_trainings_on_the_same_rows_are_one_candidate_that_is_published_once(
    state: Objects, settings: Settings
) -> None:
    """A lease that ran out must not give two versions of one model."""
    shop = Shop(text=PREFERRED, state=cast(MemoryObjects, state))
    batch = shop.land("only").batch_id
    trained, settled = both_end_at_once(process("one", "overtaken", batch), process("two", "overtaken", batch))
    assert (len(trained), settled) == (1, ["published", "published"])
    assert assert_whole(state, settings) == trained.pop()
    assert len(list(history.entries(state, "shop"))) == 1


def _word(state: Objects, candidate_id: str) -> str:
    found = verdicts.known(state, "shop", candidate_id)
    assert found is not None
    return found.status


def _rows(state: Objects, candidate_id: str) -> int:
    found = candidates.find(state, "shop", candidate_id)
    assert found is not None
    return found.lineage.rows_train
