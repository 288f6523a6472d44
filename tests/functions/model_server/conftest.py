"""The built bundle, and one server for all tests that only ask."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from google.cloud.storage import Client

from dropforge.gcp.storage import Bucket
from functions.build import build
from tests.emulators.launch import Emulator
from tests.functions.serving import Server, serving
from tests.functions.trained import trained
from tests.gcp.conftest import start, storage_emulator

__all__ = ["start", "storage_emulator"]


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`dist/model_server`."""
    return build(["model_server"], out=tmp_path_factory.mktemp("dist"))[0]


@pytest.fixture(scope="module")
def variables(storage_emulator: Emulator) -> dict[str, str]:
    """What Vertex AI tells a container of the stored candidate."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STORAGE_EMULATOR_HOST", storage_emulator.url)
        with Client(project="test-project") as client:
            client.create_bucket("model-server-state")
            folder = trained().store(Bucket(client, "model-server-state"))
    return {
        "STORAGE_EMULATOR_HOST": storage_emulator.url,
        "AIP_STORAGE_URI": folder,
        "DROPFORGE_MODEL_SHA256": trained().candidate.artefact_sha256,
        "DROPFORGE_COMPILED_SHA256": trained().candidate.compiled_sha256 or "",
        "DROPFORGE_CANDIDATE": trained().candidate.candidate_id,
    }


@pytest.fixture(scope="module", params=["compiled", "scikit-learn"])
def server(
    request: pytest.FixtureRequest, bundle: Path, variables: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """A server that is ready: by the compiled predictor, and as for a candidate that has none."""
    given = dict(variables)
    if request.param == "scikit-learn":
        del given["DROPFORGE_COMPILED_SHA256"]
    with serving(bundle, tmp_path_factory.mktemp("server") / "log", **given) as running:
        yield running
