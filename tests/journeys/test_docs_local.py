"""The commands of docs/local.md are run as they stand there, so that they cannot drift from what works."""

import gzip
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from dropforge.core import ledger
from tests.journeys.conftest import Deployment
from tests.journeys.running import REPO

DATA = REPO / "examples" / "flights" / "data"
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", (REPO / "docs" / "local.md").read_text(), re.DOTALL)
SHELL = next(code for language, code in BLOCKS if language == "sh" and "source" in code).splitlines()
COMMANDS = [command for command in "\n".join(SHELL[1:]).replace("\\\n", "").splitlines() if command]


@pytest.fixture
def folder(deployment: Deployment, tmp_path: Path) -> Path:
    """A working folder as the page supposes it: the environment's file, and a file of rows."""
    (tmp_path / ".dropforge").symlink_to(deployment.home)
    rows = gzip.decompress((DATA / "flights-2013-02-LGA.csv.gz").read_bytes()).decode().splitlines()
    (tmp_path / "rows.csv").write_text("\n".join(rows[:50]))
    return tmp_path


def arrived(deployment: Deployment, name: str) -> bool:
    """Whether the file has a verdict."""
    return any(line.source.name.endswith(name) for line in ledger.lines(deployment.services.state, "flights"))


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.split()[0])
def test_a_file_is_dropped_by_the_command_of_the_page(deployment: Deployment, folder: Path, command: str) -> None:
    """gcloud, gsutil and curl, each in a shell that has read environment.sh."""
    tool = command.split()[0]
    if shutil.which(tool) is None:
        pytest.skip(f"{tool} is not installed")
    person = {**os.environ, "HOME": str(folder), "CLOUDSDK_CONFIG": str(folder / "gcloud")}
    for name in deployment.environment:
        person.pop(name)
    subprocess.run(["bash", "-ec", f"{SHELL[0]}\n{command}"], cwd=folder, env=person, check=True, timeout=120)
    deployment.wait(lambda: arrived(deployment, f"by-{tool}.csv"), f"a verdict on what {tool} dropped")


def test_a_file_is_dropped_by_the_python_of_the_page(deployment: Deployment, folder: Path) -> None:
    """The unmodified client, told by its own variable where to go."""
    code = next(code for language, code in BLOCKS if language == "python")
    subprocess.run([sys.executable, "-c", code], cwd=folder, env={**os.environ}, check=True, timeout=120)
    deployment.wait(lambda: arrived(deployment, "by-python.csv"), "a verdict on what Python dropped")
