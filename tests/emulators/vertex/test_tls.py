"""Clients that insist on TLS: the SDK's default gRPC transport, and code that sets no endpoint at all."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

from tests.emulators.launch import Emulator

# Run in a process of its own, as gRPC and requests read these variables once, when they are first used.
LIFE = """
import json, sys
from google.api_core.exceptions import NotFound
from google.auth.credentials import AnonymousCredentials
from google.cloud import aiplatform
from google.cloud.aiplatform import jobs
from google.cloud.aiplatform.explain import ExplanationMetadata, ExplanationParameters

jobs._JOB_WAIT_TIME = 0.05
explanation = dict(explanation_parameters=ExplanationParameters(sampled_shapley_attribution={"path_count": 2}),
                   explanation_metadata=ExplanationMetadata(inputs={"a": {}, "b": {}}, outputs={"score": {}}))
pool = {"machine_spec": {"machine_type": "n1-standard-2"}, "replica_count": 1,
        "container_spec": {"image_uri": "eu/test/job:1", "args": ["write", sys.argv[2]]}}

def live(raw, **options):
    aiplatform.init(project="test-project", location="us-central1", credentials=AnonymousCredentials(), **options)
    container = dict(serving_container_image_uri="eu/test/model-server:1", serving_container_predict_route="/predict",
                     serving_container_health_route="/healthz", labels={"a": "b"},
                     serving_container_environment_variables={"TEST_MODEL": "sums"}, **explanation)
    model = aiplatform.Model.upload(display_name="secure", **container)
    aiplatform.Model.upload(display_name="secure", parent_model=model.resource_name, **container)
    endpoint = aiplatform.Endpoint.create(display_name="secure")
    endpoint.deploy(model, machine_type="n1-standard-2")
    answer = endpoint.predict([{"a": 1, "b": 0}])
    explained = endpoint.explain([{"a": 1, "b": 0}]).explanations[0].attributions[0].feature_attributions
    job = aiplatform.CustomJob("job", [pool], staging_bucket="gs://b")
    job.run()
    reversed = endpoint.raw_predict(b"abc", {"content-type": "text/plain"}).text if raw else "cba"
    versions = [version.version_id for version in model.versioning_registry.list_versions()]
    endpoint.update(labels={"c": "d"})
    try:
        aiplatform.Model("77")
    except NotFound as error:
        print("LIVED", answer.predictions[0]["score"], explained["a"], job.state.name, answer.model_version_id,
              versions, reversed, endpoint.labels, "models/77" in error.message)

for options in json.loads(sys.argv[1]):
    live(**options)
"""
LIVED = "LIVED 2.0 2.0 JOB_STATE_SUCCEEDED 1 ['2', '1'] cba {'c': 'd'} True"


@pytest.fixture(scope="module")
def secured(launch: Callable[..., Emulator]) -> Iterator[dict[str, str]]:
    """Where TLS is spoken, and whom to trust."""
    with launch(DROPFORGE_VERTEX_TLS="yes") as running:
        yield running.control("GET", "/health").json()["tls"]


def lives(secured: dict[str, str], *options: dict[str, object], **variables: str) -> list[str]:
    """What the client printed of each of its lives."""
    authority = secured["authority"]
    trusted = {"REQUESTS_CA_BUNDLE": authority, "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH": authority}
    command = [sys.executable, "-W", "ignore", "-c", LIFE, json.dumps(options), f"{secured['authority']}.job"]
    done = subprocess.run(
        command, env={**os.environ, **trusted, **variables}, capture_output=True, text=True, timeout=80
    )
    assert done.returncode == 0, done.stderr
    return [line for line in done.stdout.splitlines() if line.startswith("LIVED")]


def test_the_unmodified_client_is_at_home_at_the_tls_port(secured: dict[str, str]) -> None:
    """gRPC, the default, and REST: told the address, and whom to trust."""
    address = secured["address"]
    grpc = {"raw": False, "api_endpoint": address}
    rest = {"raw": False, "api_endpoint": f"https://{address}", "api_transport": "rest"}
    assert lives(secured, grpc, rest) == [LIVED, LIVED]


def test_code_that_sets_no_endpoint_gets_here_through_the_proxy(secured: dict[str, str]) -> None:
    """It believes that it talks to googleapis.com; also the calls that take no other host than that."""
    proxy = f"http://{secured['address']}"
    options: list[dict[str, object]] = [{"raw": True}, {"raw": True, "api_transport": "rest"}]
    assert lives(secured, *options, HTTPS_PROXY=proxy, https_proxy=proxy) == [LIVED, LIVED]
