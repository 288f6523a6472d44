"""`gcloud pubsub` against the emulator, over REST; and the same REST by hand where gcloud is not installed."""

import base64
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import requests

from tests.emulators.launch import Emulator
from tests.emulators.pubsub.bench import PROJECT, Bench


class Gcloud:
    """Runs `gcloud pubsub` as somebody without an account would."""

    def __init__(self, emulator: Emulator, folder: Path) -> None:
        program = shutil.which("gcloud")
        if program is None:
            pytest.skip("gcloud is not installed.")
        self._program = program
        self._environment = os.environ | {
            "CLOUDSDK_CONFIG": str(folder),
            "CLOUDSDK_AUTH_DISABLE_CREDENTIALS": "true",
            "CLOUDSDK_CORE_DISABLE_PROMPTS": "true",
            "CLOUDSDK_CORE_PROJECT": PROJECT,
            "CLOUDSDK_API_ENDPOINT_OVERRIDES_PUBSUB": f"{emulator.control_url}/",
        }

    def __call__(self, *arguments: str) -> Any:
        """What a command prints, from its JSON."""
        done = subprocess.run(
            [self._program, "pubsub", *arguments, "--format=json"],
            env=self._environment,
            capture_output=True,
            check=False,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


@pytest.mark.reference
def test_gcloud_works_on_what_the_client_sees(emulator: Emulator, bench: Bench, tmp_path: Path) -> None:
    """Make, publish, pull and acknowledge, change, list: the commands that a person tries first."""
    gcloud = Gcloud(emulator, tmp_path)
    topic, name = (f"g{uuid4().hex}" for _ in range(2))
    gcloud("topics", "create", topic)
    gcloud("subscriptions", "create", name, f"--topic={topic}", "--ack-deadline=30")
    gcloud("topics", "publish", topic, "--message=hello", "--attribute=origin=EWR")
    (pulled,) = gcloud("subscriptions", "pull", name, "--auto-ack")
    assert base64.b64decode(pulled["message"]["data"]) == b"hello"
    gcloud("subscriptions", "update", name, "--ack-deadline=40")
    full = f"projects/{PROJECT}/subscriptions/{name}"
    assert bench.subscriber.get_subscription(subscription=full).ack_deadline_seconds == 40
    assert bench.empty(full)
    assert full in [found["name"] for found in gcloud("subscriptions", "list")]


def test_rest_does_what_grpc_does(emulator: Emulator, bench: Bench) -> None:
    """Publishing and pulling in JSON, with bytes in base64."""
    topic, name = bench.pair()
    root = f"{emulator.control_url}/v1"
    data = base64.b64encode(b"hello").decode()
    published = requests.post(f"{root}/{topic}:publish", json={"messages": [{"data": data}]}, timeout=10).json()
    pulled = requests.post(f"{root}/{name}:pull", json={"maxMessages": 1}, timeout=10).json()
    (received,) = pulled["receivedMessages"]
    assert (received["message"]["messageId"], received["message"]["data"]) == (published["messageIds"][0], data)
    acked = requests.post(f"{root}/{name}:acknowledge", json={"ackIds": [received["ackId"]]}, timeout=10)
    assert (acked.status_code, acked.json()) == (200, {})
    assert name in requests.get(f"{root}/{topic}/subscriptions", timeout=10).json()["subscriptions"]


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "topics/never-made", None, 404),
        ("PUT", "topics/1", {}, 400),
        ("POST", "topics/never-made:publish", {"mesages": []}, 400),
        ("POST", "topics/never-made:publishBackwards", {}, 501),
        ("GET", "flights", None, 501),
    ],
)
def test_rest_refuses_in_the_services_form(
    emulator: Emulator, method: str, path: str, body: dict[str, Any] | None, status: int
) -> None:
    """With code, status and message, as gcloud shows them."""
    url = f"{emulator.control_url}/v1/projects/{PROJECT}/{path}"
    answer = requests.request(method, url, json=body, timeout=10)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (status, status)
    assert error["message"]
