"""Clients that insist on TLS: the SDK's default gRPC transport, and code that sets no endpoint at all."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

from tests.emulators.launch import Emulator

# Run in a process of its own, as gRPC and requests read these variables once, when they are first used.
LIFE = """
from google.auth.credentials import AnonymousCredentials
from google.cloud import aiplatform

aiplatform.init(project="test-project", location="us-central1", credentials=AnonymousCredentials(), {options})
upload = dict(serving_container_image_uri="eu/test/model-server:1", serving_container_predict_route="/predict",
              serving_container_health_route="/healthz", labels={{"a": "b"}})
model = aiplatform.Model.upload(display_name="secure", **upload)
aiplatform.Model.upload(display_name="secure", parent_model=model.resource_name, **upload)
endpoint = aiplatform.Endpoint.create(display_name="secure")
endpoint.deploy(model, machine_type="n1-standard-2")
answer = endpoint.predict([{{"x": 1}}])
raw = endpoint.raw_predict(b"abc", {{"content-type": "text/plain"}}).text if {raw} else "cba"
versions = [version.version_id for version in model.versioning_registry.list_versions()]
endpoint.update(labels={{"c": "d"}})
print(answer.predictions[0]["instance"], answer.model_version_id, sorted(versions), raw, endpoint.labels)
"""


@pytest.fixture(scope="module")
def secured(launch: Callable[..., Emulator]) -> Iterator[dict[str, str]]:
    """Where TLS is spoken, and whom to trust."""
    with launch(DROPFORGE_VERTEX_TLS="yes") as running:
        yield running.control("GET", "/health").json()["tls"]


@pytest.mark.parametrize(
    ("options", "proxied"),
    [
        ('api_endpoint="{address}"', False),
        ("", True),
        ('api_transport="rest"', True),
        ('api_transport="rest", api_endpoint="https://{address}"', False),
    ],
    ids=["grpc to its port", "grpc through the proxy", "rest through the proxy", "rest to its port"],
)
def test_the_unmodified_client_lives_its_life_over_tls(secured: dict[str, str], options: str, proxied: bool) -> None:
    """The three ways in lead to the same emulator."""
    trusted = {
        "REQUESTS_CA_BUNDLE": secured["authority"],
        "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH": secured["authority"],
    }
    proxy = {"HTTPS_PROXY": f"http://{secured['address']}", "https_proxy": f"http://{secured['address']}"}
    code = LIFE.format(options=options.format(**secured), raw=proxied)
    environment = {**os.environ, **trusted, **(proxy if proxied else {})}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "{'x': 1.0} 1 ['1', '2'] cba {'c': 'd'}"
