"""The code version names every module that decides what a model is."""

import ast
from collections.abc import Iterator
from pathlib import Path

import dropforge
from dropforge.ml import version

PACKAGE = Path(dropforge.__file__).parent
# What a training imports and what decides nothing: what it costs, its form for the server, which is held to the model's
# own answers, how an artefact is read again, and the version itself.
DECIDES_NOTHING = {"estimate", "export", "flattened", "linearised", "stored", "version"}


def imported(path: Path) -> Iterator[Path]:
    """The modules of `dropforge.ml` that one of them imports."""
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("dropforge.ml"):
            names = [f"{node.module}", *(f"{node.module}.{alias.name}" for alias in node.names)]
            files = [PACKAGE.parent.joinpath(*name.split(".")).with_suffix(".py") for name in names]
            yield from (file for file in files if file.exists())


def needed(path: Path) -> set[Path]:
    """A module and all that it imports, by way of others too."""
    found, left = set(), [path]
    while left:
        if (one := left.pop()) not in found:
            found.add(one)
            left += imported(one)
    return found


def test_every_module_that_decides_a_model_is_part_of_the_code_version() -> None:
    """Else a changed correction gives another model under the same candidate id, and `reproduce` blames nothing."""
    imports = {str(path.relative_to(PACKAGE)) for path in needed(PACKAGE / "ml" / "training.py")}
    assert len(imports) > 20
    expected = imports - {f"ml/{name}.py" for name in DECIDES_NOTHING}
    assert {name for name in version._DECIDES if name.startswith("ml/")} == expected
    assert len(version._DECIDES) == len(set(version._DECIDES))
