"""Google's own command lines against the emulator, as a person drops a file with them."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from google.cloud import storage

from tests.emulators.launch import Emulator

pytestmark = pytest.mark.reference
Run = Callable[..., str]


@pytest.fixture
def run(emulator: Emulator, tmp_path: Path) -> Run:
    """Runs a tool with settings of its own, none of the person's; returns what it printed."""
    boto = tmp_path / "boto"
    boto.write_text(
        f"[GSUtil]\nuse_gcloud_storage = True\nstate_dir = {tmp_path / 'gsutil'}\n"
    )  # gsutil alone insists on TLS
    environment = {
        **os.environ,
        "BOTO_CONFIG": str(boto),
        "CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE": f"{emulator.url}/storage/v1/",
        "CLOUDSDK_AUTH_DISABLE_CREDENTIALS": "true",
        "CLOUDSDK_CONFIG": str(tmp_path / "gcloud"),
        "CLOUDSDK_CORE_DISABLE_PROMPTS": "1",
        "CLOUDSDK_CORE_DISABLE_USAGE_REPORTING": "true",
        "CLOUDSDK_CORE_PROJECT": "test-project",
    }

    def ran(tool: str, *arguments: str) -> str:
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")
        done = subprocess.run(
            [tool, *arguments], env=environment, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return ran


def test_gcloud_copies_lists_reads_and_removes(run: Run, bucket: storage.Bucket, tmp_path: Path) -> None:
    """cp, ls, cat, rm: a resumable upload of 9 MiB among them."""
    small, large = tmp_path / "small.csv", tmp_path / "large"
    small.write_text("a,b\n")
    large.write_bytes(os.urandom(9 * 1024 * 1024))
    folder = f"gs://{bucket.name}/in"
    run("gcloud", "storage", "cp", str(small), str(large), folder + "/")
    assert run("gcloud", "storage", "ls", folder).split() == [f"{folder}/large", f"{folder}/small.csv"]
    assert run("gcloud", "storage", "cat", f"{folder}/small.csv") == "a,b\n"
    run("gcloud", "storage", "rm", "-r", f"gs://{bucket.name}")
    assert not bucket.exists()


def test_gsutil_copies_and_reads(run: Run, bucket: storage.Bucket, tmp_path: Path) -> None:
    """gsutil starts slowly, so only the two that people use most."""
    small = tmp_path / "small.csv"
    small.write_text("a,b\n")
    run("gsutil", "cp", str(small), f"gs://{bucket.name}/in/")
    assert run("gsutil", "cat", f"gs://{bucket.name}/in/small.csv") == "a,b\n"


def test_a_bucket_is_made_and_watched_by_gcloud(run: Run, bucket: storage.Bucket) -> None:
    """As a deployment script would."""
    url = f"gs://{bucket.name}-2"
    run("gcloud", "storage", "buckets", "create", url, "--location=europe-west4")
    topic = "--topic=projects/test-project/topics/landed"
    run("gcloud", "storage", "buckets", "notifications", "create", url, topic, "--skip-topic-setup")
    made = bucket.client.get_bucket(bucket.name + "-2")
    assert (made.location, [one.topic_name for one in made.list_notifications()]) == ("EUROPE-WEST4", ["landed"])
