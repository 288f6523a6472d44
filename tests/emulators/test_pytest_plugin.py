"""The plugin for other projects, and the code of docs/emulators.md, run as it stands there."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from emulators.pytest_plugin import GoogleCloud

REPO = Path(__file__).parents[2]
PAGE = (REPO / "docs" / "emulators.md").read_text()
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
FILES = {block.split()[1]: block for block in BLOCKS if block.startswith("# ")}
SNIPPETS = {
    "storage": "from google.cloud import storage",
    "pubsub": "from google.cloud.pubsub_v1",
    "bigquery": "from google.cloud import bigquery",
    "vertex": "import aiplatform",
}


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GoogleCloud]:
    """What the fixture `google_cloud` gives."""
    with GoogleCloud(tmp_path_factory.mktemp("cloud")) as running:
        yield running


def project(folder: Path, **files: str) -> subprocess.CompletedProcess[str]:
    """Run pytest over another project's files."""
    for name, text in files.items():
        (folder / f"{name}.py").write_text(text)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(folder), str(folder)]
    environment = {**os.environ, "PYTHONPATH": str(REPO)}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False
    )


def test_another_project_uses_it_as_the_page_says(tmp_path: Path) -> None:
    """The two files of the page, in a folder of their own."""
    done = project(tmp_path, conftest=FILES["conftest.py"], test_copy=FILES["test_copy.py"])
    assert "2 passed" in done.stdout, done.stdout + done.stderr


def test_a_fault_that_nobody_suffered_fails_the_test(tmp_path: Path) -> None:
    """Else a test that orders a fault of a wrong name would prove nothing."""
    text = (
        "def test_nothing(storage_emulator):\n    with storage_emulator.fault('storage.objects.inserd', 'error'): ..."
    )
    done = project(tmp_path, conftest=FILES["conftest.py"], test_nothing=text)
    assert "Expected storage.objects.inserd to suffer error 1 times. It did 0 times." in done.stdout


def test_only_what_is_asked_for_starts_and_the_environment_comes_back(tmp_path: Path) -> None:
    """A test of Cloud Storage does not wait for BigQuery."""
    before = dict(os.environ)
    with GoogleCloud(tmp_path) as cloud:
        url = cloud.storage.url
        assert os.environ["STORAGE_EMULATOR_HOST"] == url
        assert {path.stem for path in tmp_path.iterdir()} == {"storage"}
    assert dict(os.environ) == before


@pytest.mark.parametrize("service", SNIPPETS)
def test_a_client_is_pointed_at_it_as_the_page_says(cloud: GoogleCloud, service: str) -> None:
    """Each in a process of its own, told by the environment alone."""
    emulator = getattr(cloud, service)
    (code,) = [block for block in BLOCKS if SNIPPETS[service] in block and block not in FILES.values()]
    environment = {**os.environ, "DROPFORGE_VERTEX_API": emulator.url}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr


def test_each_is_told_where_the_others_will_be(cloud: GoogleCloud) -> None:
    """They call each other, so the order in which tests ask for them must not matter."""
    environment = Path(f"/proc/{cloud.storage.process.pid}/environ").read_bytes().decode().split("\0")
    assert f"PUBSUB_EMULATOR_HOST={cloud.pubsub.url}" in environment
