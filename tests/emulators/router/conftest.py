"""A router of its own for each module, over the sample's bundles, built once."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from google.cloud import storage
from google.cloud.pubsub_v1 import PublisherClient, SubscriberClient

from functions.build import REPO, build
from tests.emulators.launch import Emulator, anonymous
from tests.emulators.router.bench import PROJECT, Bench

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


@dataclass
class Cloud:
    """Pub/Sub and Cloud Storage, and what a router on them needs."""

    folder: Path
    dist: Path
    repo: Path
    variables: dict[str, str]
    publisher: PublisherClient
    subscriber: SubscriberClient
    bucket: storage.Bucket
    pubsub_control: str

    def router(self) -> Bench:
        """A router wired to these emulators; its functions record into one file, whichever router runs them."""
        return Bench(self.dist, self.repo, self.folder, **self.variables)

    def publish(self, topic: str, order: str) -> str:
        """Publish one message; returns its id."""
        return str(self.publisher.publish(f"projects/{PROJECT}/topics/{topic}", order.encode()).result(timeout=15))


@pytest.fixture(scope="module")
def cloud(dist: Path, sample_repo: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """Both emulators, for all tests of a file."""
    folder = tmp_path_factory.mktemp("cloud")
    with pytest.MonkeyPatch.context() as patch, Emulator("pubsub", folder / "pubsub", folder / "pubsub-data") as pubsub:
        patch.setenv("PUBSUB_EMULATOR_HOST", pubsub.url)
        with (
            Emulator("storage", folder / "storage", folder / "storage-data") as stored,
            PublisherClient() as publisher,
            SubscriberClient() as subscriber,
        ):
            patch.setenv("STORAGE_EMULATOR_HOST", stored.url)
            client = storage.Client(project=PROJECT, credentials=anonymous())
            variables = {"PUBSUB_EMULATOR_HOST": pubsub.url, "STORAGE_EMULATOR_HOST": stored.url}
            bucket = client.bucket(f"{PROJECT}-landing")
            yield Cloud(folder, dist, sample_repo, variables, publisher, subscriber, bucket, pubsub.control_url)
            client.close()


@pytest.fixture
def router(cloud: Cloud) -> Iterator[Bench]:
    """A router for one test, on a port of its own: so each test also re-points the subscriptions of the last."""
    with cloud.router() as running:
        yield running
