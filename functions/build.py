"""`python -m functions.build [--out dist] [NAME...]`: from the source tree to bundles that stand alone.

`dist/<name>/` holds what runs, locally and in the cloud: `main.py`, the function's own modules, its own pinned
`requirements.txt`, and `dropforge/`, the copy of the shared package made now. `dist/<name>.zip` is the same, byte for
byte equal whenever the sources are.

**The copy in the bundle wins.** functions-framework appends a function's folder to `sys.path`, so a `dropforge` that is
installed elsewhere would be imported instead. The built `main.py` therefore starts, on the blank line below its
docstring so that line numbers stay, by putting its own folder first (`FIRST_ON_PATH`). That would let a module of the
function hide a package of the same name from everything else, so such names are refused here.
"""

import argparse
import ast
import importlib.metadata
import shutil
import sys
import zipfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from functions import flow, pins

REPO = Path(__file__).parent.parent
FIRST_ON_PATH = b'import sys; sys.path.insert(0, __file__.rpartition("/")[0])  # functions/build.py: own copies first'

Files = dict[str, bytes]


class BuildFailed(Exception):
    """A bundle cannot be built from what lies in the source tree; the message says what was expected where."""


def build(names: list[str] | None = None, out: Path = REPO / "dist", repo: Path = REPO) -> list[Path]:
    """Build the bundles of `names`, by default of every function and container of the flow; returns their folders.

    A bundle that is already as it would be built is left alone, with the bytecode that Python keeps beside it.

    Raises:
        BuildFailed: a name is not in the flow, or its folder lacks or holds something it must not.
        pins.PinMissing: a package that a function names is not pinned.
    """
    declared = flow.read(repo / "functions" / "flow.yaml")
    known = [*declared.functions, *declared.containers]
    for name in names or []:
        if name not in known:
            raise BuildFailed(f"Expected one of {', '.join(known)}. Got {name!r}.")
    shared = {f"dropforge/{path}": data for path, data in _sources(repo / "shared" / "dropforge")}
    return [_write(out / name, {**shared, **_own(name, repo)}) for name in names or known]


def _own(name: str, repo: Path) -> Files:
    """What the bundle of one function holds beside the shared package."""
    folder = repo / "functions" / name
    files = dict(_sources(folder))
    direct = folder / "requirements.in"
    if "main.py" not in files or files.pop("requirements.in", None) is None:
        raise BuildFailed(f"{folder} must hold main.py and requirements.in. Found {', '.join(files) or 'nothing'}.")
    _refuse_shadows(folder, files)
    files["main.py"] = _first_on_path(files["main.py"])
    lines = [
        f"# Made by functions/build.py from functions/{name}/requirements.in with the pins of requirements.txt.",
        *pins.pinned(pins.read_requirements(direct), repo / "requirements.txt"),
    ]
    files["requirements.txt"] = "".join(f"{line}\n" for line in lines).encode()
    return files


def _sources(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every file below `folder` with its path from there, without caches and hidden files, sorted."""
    for path in sorted(folder.rglob("*")):
        inner = path.relative_to(folder)
        hidden = any(part.startswith(".") or part == "__pycache__" for part in inner.parts)
        if path.is_file() and not hidden and path.suffix != ".pyc":
            yield inner.as_posix(), path.read_bytes()


def _refuse_shadows(folder: Path, files: Files) -> None:
    for own in sorted({path.partition("/")[0].removesuffix(".py") for path in files if path.endswith(".py")}):
        if own in _importable_names():
            raise BuildFailed(f"{folder / own} would hide the package {own!r} from all else in the bundle. Rename it.")


@cache
def _importable_names() -> frozenset[str]:
    return frozenset({*sys.stdlib_module_names, *importlib.metadata.packages_distributions(), "dropforge"})


def _first_on_path(source: bytes) -> bytes:
    """`main.py` with `FIRST_ON_PATH` below its docstring and its `from __future__` lines."""
    end = 0
    for statement in ast.parse(source).body:
        docstring = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant) and end == 0
        if not docstring and not (isinstance(statement, ast.ImportFrom) and statement.module == "__future__"):
            break
        end = statement.end_lineno or 0
    lines = source.split(b"\n")
    if end < len(lines) and lines[end] == b"":
        lines[end] = FIRST_ON_PATH
    else:
        lines.insert(end, FIRST_ON_PATH)
    return b"\n".join(lines)


def _write(bundle: Path, files: Files) -> Path:
    """Make `bundle` and its zip hold exactly `files`."""
    archive = bundle.with_name(bundle.name + ".zip")
    if archive.is_file() and dict(_sources(bundle)) == files:
        return bundle
    fresh = bundle.with_name(f".{bundle.name}.new")
    for folder in (fresh, bundle):
        shutil.rmtree(folder, ignore_errors=True)
    for path, data in files.items():
        (fresh / path).parent.mkdir(parents=True, exist_ok=True)
        (fresh / path).write_bytes(data)
    fresh.rename(bundle)
    unfinished = bundle.with_name(f".{bundle.name}.zip")
    _zip(unfinished, files)
    unfinished.replace(archive)
    return bundle


def _zip(archive: Path, files: Files) -> None:
    # Stored, not deflated: the same input compresses to other bytes under another zlib.
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as opened:
        for path in sorted(files):
            entry = zipfile.ZipInfo(path, date_time=(1980, 1, 1, 0, 0, 0))
            entry.create_system = 3  # Unix, also where this is not
            entry.external_attr = 0o100644 << 16
            opened.writestr(entry, files[path])


def main(arguments: list[str] | None = None) -> int:
    """Build from the command line, or `arguments`; a failure is one sentence and exit status 1."""
    parser = argparse.ArgumentParser(prog="python -m functions.build", description="Build the functions' bundles.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="functions or containers; all of the flow by default")
    parser.add_argument("--out", type=Path, default=REPO / "dist")
    given = parser.parse_args(arguments)
    try:
        for bundle in build(given.names, given.out):
            print(bundle)
    except (BuildFailed, pins.PinMissing, flow.FlowInvalid) as error:
        sys.exit(str(error))
    return 0


if __name__ == "__main__":
    sys.exit(main())
