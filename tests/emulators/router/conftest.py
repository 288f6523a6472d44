"""A router of its own for each module, over the sample's bundles, built once."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from functions.build import REPO, build
from tests.emulators.router.bench import Bench

SAMPLE = Path(__file__).with_name("sample")


@pytest.fixture(scope="session")
def sample_repo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample as a repository: its functions and shared package, with the real pins."""
    repo = tmp_path_factory.mktemp("sample") / "repo"
    shutil.copytree(SAMPLE, repo, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(REPO / "requirements.txt", repo)
    return repo


@pytest.fixture(scope="session")
def dist(sample_repo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample's bundles."""
    out = tmp_path_factory.mktemp("dist")
    build(out=out, repo=sample_repo)
    return out


@pytest.fixture(scope="module")
def bench(dist: Path, sample_repo: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """A running router without Pub/Sub; the test makes the pushes."""
    with Bench(dist, sample_repo, tmp_path_factory.mktemp("router"), DROPFORGE_PENDING="3") as running:
        yield running
