"""One BigQuery emulator for the whole module, and the unmodified client."""

from collections.abc import Iterator

import pytest
from google.api_core.exceptions import GoogleAPICallError
from google.cloud import bigquery

from tests.cloud import PROJECT, also_in_the_cloud, is_cloud
from tests.emulators.launch import Emulator, anonymous

GAP_RAISES = (AssertionError, GoogleAPICallError, pytest.fail.Exception)


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """An emulator in memory, shared by tests that use their own datasets."""
    with Emulator("bigquery", errors=tmp_path_factory.mktemp("bigquery") / "errors.log") as running:
        yield running


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Modules that take part run on the real service too."""
    also_in_the_cloud(metafunc, "client")


@pytest.fixture
def client(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[bigquery.Client]:
    """Google's client, told where to go by its own environment variable alone; or that of the real service."""
    if is_cloud(request):
        with bigquery.Client(project=PROJECT) as client:
            yield client
        return
    for gap in request.node.iter_markers("gap"):
        strict = pytest.mark.xfail(strict=True, reason=gap.args[0], raises=GAP_RAISES)
        request.node.add_marker(strict)
    emulator: Emulator = request.getfixturevalue("emulator")
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", emulator.url)
    with bigquery.Client(project="test-project", credentials=anonymous()) as client:
        yield client


@pytest.fixture
def dataset(client: bigquery.Client, request: pytest.FixtureRequest) -> Iterator[str]:
    """A fresh dataset named after the test; in a real project it is deleted afterwards."""
    name = f"{client.project}.{request.node.name.partition('[')[0]}"
    client.create_dataset(name)
    yield name
    if client.project == PROJECT:
        client.delete_dataset(name, delete_contents=True)
