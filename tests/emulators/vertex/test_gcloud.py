"""Google's own command line against the emulator, where it is installed."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from google.cloud import aiplatform

from tests.emulators.launch import Emulator
from tests.emulators.vertex.conftest import MACHINE, until
from tests.emulators.vertex.test_jobs import JOB_IMAGE

pytestmark = [
    pytest.mark.reference,
    pytest.mark.skipif(shutil.which("gcloud") is None, reason="gcloud is not installed"),
]


def gcloud(emulator: Emulator, home: Path, *arguments: str) -> object:
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
    assert isinstance(models, list)
    assert isinstance(endpoints, list)
    assert deployed.list_models()[0].model in [model["name"] for model in models]
    assert deployed.resource_name in [endpoint["name"] for endpoint in endpoints]
    (tmp_path / "request.json").write_text('{"instances": [{"x": 1}]}')
    answer = gcloud(sdk, tmp_path, "endpoints", "predict", deployed.name, f"--json-request={tmp_path}/request.json")
    assert isinstance(answer, dict)
    assert answer["predictions"][0]["instance"] == {"x": 1}


def test_gcloud_explains_and_runs_jobs(sdk: Emulator, deployed: aiplatform.Endpoint, tmp_path: Path) -> None:
    """What is asked at a prompt is answered as it is in code, refusals too."""
    (tmp_path / "request.json").write_text('{"instances": [{"x": 1}]}')
    with pytest.raises(AssertionError, match="no explanation_spec"):
        gcloud(sdk, tmp_path, "endpoints", "explain", deployed.name, f"--json-request={tmp_path}/request.json")
    pool = f"machine-type={MACHINE},replica-count=1,container-image-uri={JOB_IMAGE}"
    arguments = ["--display-name=prompted", f"--worker-pool-spec={pool}", f"--args=write,{tmp_path}/told"]
    made = gcloud(sdk, tmp_path, "custom-jobs", "create", *arguments)
    assert isinstance(made, dict)
    until((tmp_path / "told").exists)
    listed = gcloud(sdk, tmp_path, "custom-jobs", "list", "--filter=displayName=prompted")
    assert isinstance(listed, list)
    assert [each["name"] for each in listed] == [made["name"]]
