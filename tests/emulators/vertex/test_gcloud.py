"""Google's own command line against the emulator, where it is installed."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from google.cloud import aiplatform

from tests.emulators.launch import Emulator
from tests.emulators.vertex.conftest import IMAGE, MACHINE
from tests.emulators.vertex.test_jobs import JOB_IMAGE
from tests.waiting import until

pytestmark = [
    pytest.mark.reference,
    pytest.mark.skipif(shutil.which("gcloud") is None, reason="gcloud is not installed"),
]


def gcloud(emulator: Emulator, home: Path, *arguments: str) -> Any:
    """What `gcloud ai ... --format=json` prints."""
    variables = {
        "CLOUDSDK_CONFIG": str(home),
        "CLOUDSDK_AUTH_DISABLE_CREDENTIALS": "true",
        "CLOUDSDK_API_ENDPOINT_OVERRIDES_AIPLATFORM": f"{emulator.url}/",
        "CLOUDSDK_CORE_PROJECT": "test-project",
        "CLOUDSDK_CORE_DISABLE_USAGE_REPORTING": "true",
    }
    command = ["gcloud", "ai", *arguments, "--region=us-central1", "--format=json"]
    done = subprocess.run(command, env=os.environ | variables, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_gcloud_lists_what_the_sdk_made_and_predicts(
    sdk: Emulator, deployed: aiplatform.Endpoint, tmp_path: Path
) -> None:
    """The emulator serves clients that we do not use ourselves."""
    models, endpoints = (gcloud(sdk, tmp_path, kind, "list") for kind in ("models", "endpoints"))
    assert deployed.list_models()[0].model in [model["name"] for model in models]
    assert deployed.resource_name in [endpoint["name"] for endpoint in endpoints]
    (tmp_path / "request.json").write_text('{"instances": [{"x": 1}]}')
    answer = gcloud(sdk, tmp_path, "endpoints", "predict", deployed.name, f"--json-request={tmp_path}/request.json")
    assert answer["predictions"][0]["instance"] == {"x": 1}


def test_gcloud_explains_and_runs_jobs(sdk: Emulator, deployed: aiplatform.Endpoint, tmp_path: Path) -> None:
    """What is asked at a prompt is answered as it is in code, refusals too."""
    (tmp_path / "request.json").write_text('{"instances": [{"x": 1}]}')
    with pytest.raises(AssertionError, match="no explanation_spec"):
        gcloud(sdk, tmp_path, "endpoints", "explain", deployed.name, f"--json-request={tmp_path}/request.json")
    pool = f"machine-type={MACHINE},replica-count=1,container-image-uri={JOB_IMAGE}"
    arguments = ["--display-name=prompted", f"--worker-pool-spec={pool}", f"--args=write,{tmp_path}/told"]
    made = gcloud(sdk, tmp_path, "custom-jobs", "create", *arguments)
    until((tmp_path / "told").exists)
    listed = gcloud(sdk, tmp_path, "custom-jobs", "list", "--filter=displayName=prompted")
    assert [each["name"] for each in listed] == [made["name"]]


@pytest.fixture
def uploaded(sdk: Emulator, tmp_path: Path) -> str:
    """The id of a model that was uploaded at a prompt, with all that a user of explanations says of it."""
    (tmp_path / "metadata.json").write_text('{"inputs": {"a": {}, "b": {}}, "outputs": {"score": {}}}')
    container = ("predict-route=/predict", "health-route=/healthz", "env-vars=TEST_MODEL=sums", f"image-uri={IMAGE}")
    explained = ("method=sampled-shapley", "path-count=3", f"metadata-file={tmp_path}/metadata.json")
    options = [*(f"--container-{each}" for each in container), *(f"--explanation-{each}" for each in explained)]
    name = "at-a-prompt"
    made = gcloud(sdk, tmp_path, "models", "upload", f"--display-name={name}", f"--model-id={name}", *options)
    assert made["modelVersionId"] == "1"
    return name


def test_gcloud_takes_a_model_from_upload_to_its_end(sdk: Emulator, uploaded: str, tmp_path: Path) -> None:
    """gcloud waits for each operation at a path and a version of its own, and parses what it says."""
    assert gcloud(sdk, tmp_path, "models", "describe", uploaded)["explanationSpec"]["metadata"]["inputs"] == {
        "a": {},
        "b": {},
    }
    assert [each["versionId"] for each in gcloud(sdk, tmp_path, "models", "list-version", uploaded)] == ["1"]
    endpoint = gcloud(sdk, tmp_path, "endpoints", "create", "--display-name=prompted")["name"]
    deployment = [f"--model={uploaded}", "--display-name=d", f"--machine-type={MACHINE}", "--deployed-model-id=5"]
    gcloud(sdk, tmp_path, "endpoints", "deploy-model", endpoint, *deployment, "--traffic-split=0=100")
    (tmp_path / "request.json").write_text('{"instances": [{"a": 1, "b": 2}]}')
    request = f"--json-request={tmp_path}/request.json"
    explained = gcloud(sdk, tmp_path, "endpoints", "explain", endpoint, request)
    assert explained["deployedModelId"] == "5"
    attributions = explained["explanations"][0]["attributions"][0]["featureAttributions"]
    assert sum(attributions.values()) == pytest.approx(4)  # 2a + ab (model_server.py); 0 at the baseline
    raw = f"--request=@{tmp_path}/request.json"
    answered = gcloud(
        sdk, tmp_path, "endpoints", "raw-predict", endpoint, raw, "--http-headers=Content-Type=application/json"
    )
    assert answered["predictions"][0]["score"] == 4
    gcloud(sdk, tmp_path, "endpoints", "update", endpoint, "--update-labels=k=v")
    gcloud(sdk, tmp_path, "endpoints", "undeploy-model", endpoint, "--deployed-model-id=5")
    left = gcloud(sdk, tmp_path, "endpoints", "describe", endpoint)
    assert (left["labels"], left.get("deployedModels")) == ({"k": "v"}, None)
    gcloud(sdk, tmp_path, "endpoints", "delete", endpoint)
    deletion = gcloud(sdk, tmp_path, "models", "delete", uploaded)["name"]  # the one that gcloud does not wait for
    operation = deletion.rpartition("/")[2]
    until(lambda: gcloud(sdk, tmp_path, "operations", "describe", operation).get("done"))
    assert uploaded not in [each["displayName"] for each in gcloud(sdk, tmp_path, "models", "list")]


def test_gcloud_cancels_a_job(sdk: Emulator, tmp_path: Path) -> None:
    """And shows it as it stands, before and after."""
    pool = f"machine-type={MACHINE},replica-count=1,container-image-uri={JOB_IMAGE}"
    arguments = ["--display-name=long", f"--worker-pool-spec={pool}", f"--args=sleep,{tmp_path}/told"]
    job = gcloud(sdk, tmp_path, "custom-jobs", "create", *arguments)["name"]
    until((tmp_path / "told").exists)
    assert gcloud(sdk, tmp_path, "custom-jobs", "describe", job)["state"] == "JOB_STATE_RUNNING"
    gcloud(sdk, tmp_path, "custom-jobs", "cancel", job)
    until(lambda: gcloud(sdk, tmp_path, "custom-jobs", "describe", job)["state"] == "JOB_STATE_CANCELLED")
