"""Our emulator for every test here, and Google's beside it for those that ask for `any_bench`.

Where Google's emulator is known to differ from the service, `DIFFERENCES` says how; such a test must fail there, and
fails the run once it passes, so that the list stays true.
"""

import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from google.api_core.exceptions import GoogleAPICallError

from tests import cloud
from tests.emulators.launch import Emulator
from tests.emulators.pubsub.bench import PROJECT, Bench
from tests.emulators.pubsub.reference import google_command

_OWN = "ours"
_GOOGLE = "google"
_CLOUD = "cloud"

DIFFERENCES: dict[str, str] = {
    "test_a_message_over_ten_million_bytes_is_refused": "it takes messages of any size up to gRPC's own limit",
    "test_retry_policy_holds_a_nacked_message_back": "it ignores the retry policy",
    "test_dead_letters_arrive_with_where_they_come_from": "it moves a dead letter only at the next pull",
    "test_a_detached_subscription_gives_nothing_more": "it has no DetachSubscription",
    "test_a_nack_brings_the_rest_of_the_key_again_in_order": "it loses the order after a nack",
}


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """One process for the whole run; tests share it and never a topic. Its clock is advanced in `clocked` only."""
    folder = tmp_path_factory.mktemp("pubsub")
    with Emulator("pubsub", errors=folder / "errors.txt", data=folder / "data") as running:
        yield running


@pytest.fixture(scope="session")
def bench(emulator: Emulator) -> Iterator[Bench]:
    """Clients of our emulator."""
    made = Bench(emulator.url)
    yield made
    made.close()


@pytest.fixture(scope="session")
def google_bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """Clients of Google's emulator, in a process of its own."""
    command = google_command()
    if command is None:
        pytest.skip("Google's Pub/Sub emulator is not installed: it comes with the gcloud component pubsub-emulator.")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = tmp_path_factory.mktemp("google") / "log.txt"
    with log.open("wb") as out:
        process = subprocess.Popen([*command, "--host=127.0.0.1", f"--port={port}"], stdout=out, stderr=out)
    made = Bench(f"127.0.0.1:{port}", patience=5.0)
    try:
        _await_answer(made)
        yield made
    finally:
        made.close()
        process.kill()
        process.wait()


@pytest.fixture(scope="session")
def cloud_bench() -> Iterator[Bench]:
    """Clients of the real service."""
    made = Bench(patience=60.0, project=cloud.project())
    yield made
    made.close()


@pytest.fixture(
    params=[
        _OWN,
        pytest.param(_GOOGLE, marks=pytest.mark.reference),
        pytest.param(_CLOUD, marks=pytest.mark.cloud),
    ]
)
def any_bench(request: pytest.FixtureRequest) -> Bench:
    """Each implementation in turn: ours, Google's emulator where it is installed, the real service when asked."""
    if request.param == _CLOUD and request.module.__name__.endswith("test_push"):
        pytest.skip("The real service cannot push to a server on this machine.")
    if request.param != _GOOGLE:
        found: Bench = request.getfixturevalue("bench" if request.param == _OWN else "cloud_bench")
        return found
    test = request.node.originalname
    if test in DIFFERENCES:
        request.applymarker(pytest.mark.xfail(reason=DIFFERENCES[test], strict=True))
    google: Bench = request.getfixturevalue("google_bench")
    return google


@pytest.fixture
def clocked(tmp_path: Path) -> Iterator[tuple[Emulator, Bench]]:
    """An emulator of the test's own, in memory, whose clock it may advance."""
    with Emulator("pubsub", errors=tmp_path / "errors.txt") as running:
        made = Bench(running.url)
        yield running, made
        made.close()


def advance(emulator: Emulator, seconds: float) -> None:
    """Move the emulator's clock forward."""
    emulator.control("POST", "/clock", {"advance_seconds": seconds}).raise_for_status()


def _await_answer(bench: Bench) -> None:
    for _ in range(200):
        try:
            bench.publisher.list_topics(project=f"projects/{PROJECT}", timeout=1, retry=None)
        except GoogleAPICallError:
            time.sleep(0.1)
        else:
            return
    raise TimeoutError("Google's Pub/Sub emulator did not answer within 20 s.")
