"""Every real bundle stands alone: its own packages, its own shared code, nothing reached or heavy at import."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from functions import flow
from functions.build import build
from tests.bundles.clean import clean_site
from tests.bundles.reach import third_party_imports

FLOW = flow.read()
BUNDLES = [*FLOW.functions, *FLOW.containers]
HEAVY = {"google.cloud.bigquery", "google.cloud.aiplatform", "google.cloud.aiplatform_v1", "sklearn"}

# The rest of the code asks for them late, or not at all.
MAY_BE_HEAVY = {"train": {"sklearn"}, "trainer": {"sklearn"}}  # nobody waits for a job


@pytest.fixture(scope="module", params=BUNDLES)
def loaded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """A bundle, and what loading it in a clean environment, behind a decoy of the shared package, brought in."""
    name: str = request.param
    folder = tmp_path_factory.mktemp(name)
    (bundle,) = build([name], folder / "dist")
    site = clean_site(bundle / "requirements.txt", folder / "site")
    decoy = folder / "decoy" / "dropforge"
    decoy.mkdir(parents=True)
    (decoy / "__init__.py").touch()
    function = FLOW.functions.get(name)
    variables = {"GOOGLE_CLOUD_PROJECT": "a-project", "HOME": str(folder), "PATH": os.defpath}
    if function is not None:
        variables |= {"FUNCTION_TARGET": function.entry_point, "FUNCTION_USE_ASGI": str(function.asgi).lower()}
    told = subprocess.run(
        [sys.executable, "-S", "-E", "-P", Path(__file__).with_name("probe.py"), site, decoy.parent],
        cwd=bundle,
        env=variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 0, f"The bundle {name} does not load with only its own requirements:\n{told.stderr}"
    return bundle, json.loads(told.stdout.splitlines()[-1])


def test_bundle_loads_with_only_its_own_packages_and_shared_code(loaded: tuple[Path, dict[str, Any]]) -> None:
    """What is missing here would be missing in the cloud, at the first event."""
    bundle, told = loaded
    assert told["dropforge"] == str(bundle / "dropforge" / "__init__.py")


def test_bundle_reaches_for_nothing_at_import(loaded: tuple[Path, dict[str, Any]]) -> None:
    """A cold start must not wait for, or fail with, another service."""
    _, told = loaded
    assert told["reached"] == []


def test_bundle_has_every_package_that_it_may_import_later(loaded: tuple[Path, dict[str, Any]]) -> None:
    """An import inside a function fails at the event that first takes that way."""
    bundle, _ = loaded
    wanted = {name for name in third_party_imports(bundle) if name.split(".")[0] not in sys.stdlib_module_names}
    site = bundle.parents[1] / "site"
    assert wanted
    missing = {name for name in wanted if not list(site.glob(name.split(".")[0] + "*"))}
    assert missing == set()


def test_bundle_keeps_its_import_budget(loaded: tuple[Path, dict[str, Any]]) -> None:
    """BigQuery's client costs 1.3 s, Vertex AI's 2.5 s, scikit-learn 3.4 s: not where somebody waits."""
    bundle, told = loaded
    assert HEAVY & set(told["modules"]) <= MAY_BE_HEAVY.get(bundle.name, set())


def test_main_is_an_edge() -> None:
    """Parse the event, call one step, map errors: about forty lines."""
    sizes = {path: len(path.read_text().splitlines()) for path in flow.PATH.parent.glob("*/main.py")}
    assert sorted(path.parent.name for path in sizes) == sorted(BUNDLES)
    assert {path: size for path, size in sizes.items() if size > 45 and path.parent.name in FLOW.functions} == {}
