"""Imports run one way: contracts <- core <- (ml, gcp) <- functions; and only gcp and the functions know Google."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from functions import flow
from functions.build import REPO

SHARED = REPO / "shared" / "dropforge"
ALLOWED = {
    "contracts": {"contracts"},
    "core": {"contracts", "core"},
    "ml": {"contracts", "core", "ml"},
    "gcp": {"contracts", "core", "gcp"},
}


def imports(folder: Path) -> Iterator[tuple[str, str]]:
    """Every import below `folder`, also inside functions: where it stands, and the full name of what is imported."""
    for path in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_bytes())):
            where = f"{path.relative_to(REPO)}:{getattr(node, 'lineno', 0)}"
            if isinstance(node, ast.Import):
                yield from ((where, f"{alias.name}.") for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                yield from ((where, f"{'.' * node.level}{node.module}.{alias.name}") for alias in node.names)


def test_shared_code_imports_by_full_names() -> None:
    """A relative import hides which layer it reaches."""
    assert [each for each in imports(SHARED) if each[1].startswith(".")] == []


@pytest.mark.parametrize("layer", ALLOWED)
def test_layer_imports_only_those_below_it(layer: str) -> None:
    """A contract that needs a store, or a core that needs Google, cannot be tested in milliseconds."""
    found = list(imports(SHARED / layer))
    assert found
    wrong = [
        (where, name)
        for where, name in found
        if name.split(".")[0] == "dropforge" and name.split(".")[1] in ALLOWED.keys() - ALLOWED[layer]
    ]
    assert wrong == []


@pytest.mark.parametrize("layer", ["contracts", "core", "ml"])
def test_layer_imports_no_google_package(layer: str) -> None:
    """Stores are passed in."""
    assert [found for found in imports(SHARED / layer) if found[1].split(".")[0] == "google"] == []


@pytest.mark.parametrize("tree", ["shared", "functions"])
def test_nothing_that_is_deployed_imports_what_is_not(tree: str) -> None:
    """Emulators, infrastructure and tests stay on the machine of who develops."""
    declared = flow.read()
    folders = (
        [SHARED]
        if tree == "shared"
        else [REPO / "functions" / name for name in (*declared.functions, *declared.containers)]
    )
    found = [each for folder in folders for each in imports(folder)]
    assert found
    assert [each for each in found if each[1].split(".")[0] in ("emulators", "infra", "tests", "functions")] == []


def test_functions_do_not_import_each_other() -> None:
    """What two of them use belongs in the shared package."""
    declared = flow.read()
    names = {*declared.functions, *declared.containers}
    found = [(name, each) for name in names for each in imports(REPO / "functions" / name)]
    assert found
    assert [(name, each) for name, each in found if each[1].split(".")[0] in names - {name}] == []
