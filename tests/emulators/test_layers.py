"""No files of an emulator import each other in a circle: state below, handlers above, the server on top."""

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def imports(path: Path) -> set[str]:
    """Every module of ours that a file imports, also inside functions and for types only."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("emulators"):
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                found.add(inner if (ROOT / f"{inner.replace('.', '/')}.py").exists() else node.module)
    return found


ROOMS = {"bigquery": 5, "pubsub": 30, "router": 15, "storage": 30, "vertex": 30}  # and how many files at least


@pytest.mark.parametrize(("room", "files_at_least"), ROOMS.items())
def test_imports_run_one_way(room: str, files_at_least: int) -> None:
    """A file that is imported by what it imports can be understood only with all of the circle at once."""
    files = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts): path
        for path in (ROOT / "emulators" / room).rglob("*.py")
    }
    assert len(files) > files_at_least
    try:
        TopologicalSorter({name: imports(path) & files.keys() for name, path in files.items()}).prepare()
    except CycleError as error:
        circle = " <- ".join(error.args[1])
        pytest.fail(f"Imports run in a circle: {circle}")
