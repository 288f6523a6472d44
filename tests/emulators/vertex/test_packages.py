"""Training code as a Python package in Cloud Storage, run by the official client's own kinds of jobs."""

import io
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from google.cloud import aiplatform
from google.cloud.aiplatform import jobs, training_jobs
from google.cloud.storage import Bucket

from tests.emulators.launch import Emulator
from tests.emulators.vertex.conftest import IMAGE, MACHINE, connect

EXECUTOR = "europe-docker.pkg.dev/vertex-ai/training/python:latest"
TASK = """
import os, pathlib, sys
pathlib.Path(sys.argv[1]).write_text(f"{os.environ['AIP_MODEL_DIR']} {os.environ.get('SEED')} {__spec__.name}")
"""


@pytest.fixture(scope="module")
def package(bucket: Bucket, beside: Emulator) -> Iterator[str]:
    """A source distribution in the bucket, and the SDK at an emulator that can read it."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        for name, text in (("__init__.py", ""), ("task.py", TASK)):
            member = tarfile.TarInfo(f"trainer-0.1/trainer/{name}")
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text.encode()))
    bucket.blob("trainer-0.1.tar.gz").upload_from_string(content.getvalue())
    bucket.blob("broken.tar.gz").upload_from_string(b"no archive")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jobs, "_JOB_WAIT_TIME", 0.05)
        patch.setattr(training_jobs, "_JOB_WAIT_TIME", 0.05)
        connect(beside)
        yield f"gs://{bucket.name}/trainer-0.1.tar.gz"


def custom_job(uri: str, *arguments: str) -> Any:
    """A job of one replica that runs the package."""
    spec = {
        "executor_image_uri": EXECUTOR,
        "package_uris": [uri],
        "python_module": "trainer.task",
        "args": list(arguments),
        "env": [{"name": "SEED", "value": "7"}],
    }
    pool = {"machine_spec": {"machine_type": MACHINE}, "replica_count": 1, "python_package_spec": spec}
    return aiplatform.CustomJob("packaged", [pool], base_output_dir="gs://b/out", staging_bucket="gs://b")


def test_a_package_is_run_as_a_module(package: str, tmp_path: Path) -> None:
    """With its arguments and its environment, and told where to write."""
    custom_job(package, str(tmp_path / "told")).run()
    assert (tmp_path / "told").read_text() == "gs://b/out/model/ 7 trainer.task"


def test_a_training_pipeline_runs_a_package_and_uploads_its_model(package: str, tmp_path: Path) -> None:
    """The commonest way to train on the service."""
    training = aiplatform.CustomPythonPackageTrainingJob(
        "packaged", package, "trainer.task", EXECUTOR, model_serving_container_image_uri=IMAGE, staging_bucket="gs://b"
    )
    model = training.run(
        args=[str(tmp_path / "told")], base_output_dir="gs://b/run", model_display_name="m", machine_type=MACHINE
    )
    assert model is not None
    assert model.uri == "gs://b/run/model"


@pytest.mark.parametrize(
    ("name", "reason"), [("absent.tar.gz", "does not exist"), ("broken.tar.gz", "neither a wheel")]
)
def test_a_package_that_cannot_be_had_fails_the_job_by_name(package: str, name: str, reason: str) -> None:
    """The message says which object."""
    uri = package.replace("trainer-0.1.tar.gz", name)
    with pytest.raises(RuntimeError, match=f"{uri}.*{reason}"):
        custom_job(uri).run()
