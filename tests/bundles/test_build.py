"""The builder, on the sample flow: what is in a bundle, that it is reproducible, and what it refuses."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from functions import flow
from functions.build import REPO, BuildFailed, build
from functions.pins import PinMissing, pinned

SAMPLE = REPO / "tests" / "emulators" / "router" / "sample"


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """A copy of the sample that a test may spoil."""
    folder = tmp_path / "repo"
    shutil.copytree(SAMPLE, folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(REPO / "requirements.txt", folder)
    return folder


def files(bundle: Path) -> dict[str, bytes]:
    """Everything in a bundle."""
    return {path.relative_to(bundle).as_posix(): path.read_bytes() for path in bundle.rglob("*") if path.is_file()}


def test_bundle_holds_the_function_its_pins_and_the_shared_package(repo: Path, tmp_path: Path) -> None:
    """And nothing else: no caches, no hidden files, no requirements.in."""
    (repo / "functions" / "work" / "__pycache__").mkdir()
    (repo / "functions" / "work" / "__pycache__" / "main.cpython-313.pyc").touch()
    (repo / "functions" / "work" / ".hidden").touch()
    (repo / "shared" / "dropforge" / "schema.json").write_text("{}")
    (bundle,) = build(["work"], tmp_path / "dist", repo)
    assert sorted(files(bundle)) == [
        "dropforge/__init__.py",
        "dropforge/schema.json",
        "main.py",
        "obey.py",
        "record.py",
        "requirements.txt",
    ]


def test_archive_is_the_same_bytes_whenever_and_wherever_it_is_built(repo: Path, tmp_path: Path) -> None:
    """Else nobody can say whether what runs is what was reviewed."""
    build(["web"], tmp_path / "one", repo)
    for path in sorted(repo.rglob("*"), reverse=True):
        path.chmod(0o700)
        os.utime(path, (1, 1))
    build(["web"], tmp_path / "two", repo)
    assert (tmp_path / "one" / "web.zip").read_bytes() == (tmp_path / "two" / "web.zip").read_bytes()


def test_archive_holds_what_the_folder_holds(repo: Path, tmp_path: Path) -> None:
    """What runs locally is what is uploaded."""
    (bundle,) = build(["arrive"], tmp_path / "dist", repo)
    with zipfile.ZipFile(bundle.with_suffix(".zip")) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == files(bundle)


def test_second_build_leaves_an_unchanged_bundle_alone(repo: Path, tmp_path: Path) -> None:
    """Python's bytecode beside it stays, and with it a fast cold start."""
    (bundle,) = build(["work"], tmp_path / "dist", repo)
    (bundle / "__pycache__").mkdir()
    build(["work"], tmp_path / "dist", repo)
    assert (bundle / "__pycache__").is_dir()


def test_change_replaces_the_whole_bundle(repo: Path, tmp_path: Path) -> None:
    """A module that was removed must not linger."""
    (bundle,) = build(["work"], tmp_path / "dist", repo)
    (repo / "functions" / "work" / "obey.py").unlink()
    build(["work"], tmp_path / "dist", repo)
    assert not (bundle / "obey.py").exists()
    with zipfile.ZipFile(bundle.with_suffix(".zip")) as archive:
        assert "obey.py" not in archive.namelist()


def test_line_numbers_stay(repo: Path, tmp_path: Path) -> None:
    """A traceback from a bundle must point into the source tree."""
    source = (repo / "functions" / "work" / "main.py").read_text().splitlines()
    (bundle,) = build(["work"], tmp_path / "dist", repo)
    built = (bundle / "main.py").read_text().splitlines()
    changed = [number for number, line in enumerate(source) if built[number] != line]
    assert len(built) == len(source)
    assert [source[number] for number in changed] == [""]


def test_bundles_own_copy_wins_over_a_decoy(repo: Path, tmp_path: Path) -> None:
    """functions-framework puts the bundle last on sys.path, behind a `dropforge` that somebody installed."""
    (bundle,) = build(["server"], tmp_path / "dist", repo)
    decoy = tmp_path / "decoy" / "dropforge"
    decoy.mkdir(parents=True)
    (decoy / "__init__.py").touch()
    load = "import sys, runpy; sys.path.append(sys.argv[1]); runpy.run_path(sys.argv[1] + '/main.py')"
    told = subprocess.run(
        [sys.executable, "-P", "-c", load, str(bundle)],
        env={**os.environ, "PYTHONPATH": str(decoy.parent)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.strip() == str(bundle / "dropforge" / "__init__.py")


@pytest.mark.parametrize("name", ["json", "pydantic", "dropforge"])
def test_module_that_would_hide_a_package_is_refused(repo: Path, tmp_path: Path, name: str) -> None:
    """The bundle comes first on sys.path, so its json.py would be everybody's."""
    (repo / "functions" / "work" / f"{name}.py").touch()
    with pytest.raises(BuildFailed, match=f"would hide the package '{name}'"):
        build(["work"], tmp_path / "dist", repo)


def test_function_without_requirements_is_refused(repo: Path, tmp_path: Path) -> None:
    """The message names both files and what was found."""
    (repo / "functions" / "work" / "requirements.in").unlink()
    with pytest.raises(BuildFailed, match=r"must hold main\.py and requirements\.in\. Found main\.py"):
        build(["work"], tmp_path / "dist", repo)


def test_unknown_name_is_refused(repo: Path, tmp_path: Path) -> None:
    """The message lists what there is."""
    with pytest.raises(BuildFailed, match=r"Expected one of arrive, .*, server\. Got 'wrok'\."):
        build(["wrok"], tmp_path / "dist", repo)


def test_pins_are_those_of_the_root_with_everything_beneath() -> None:
    """All that the root names directly needs all that the root pins: so nothing is missing, and nothing too much."""
    direct = [Requirement(line) for line in (REPO / "requirements.in").read_text().splitlines() if line[:1].isalpha()]
    assert pinned(direct, REPO / "requirements.txt") == (REPO / "requirements.txt").read_text().split()


def test_requirement_that_the_root_does_not_pin_is_refused() -> None:
    """One version of each package in the whole project."""
    with pytest.raises(PinMissing, match=r"needs left-pad, which .* does not pin"):
        pinned([Requirement("left-pad")], REPO / "requirements.txt")


def test_command_line_builds_what_is_named(tmp_path: Path) -> None:
    """And says where it is; a mistake is one sentence."""
    command = [sys.executable, "-m", "functions.build", "--out", str(tmp_path)]
    built = subprocess.run([*command, "train"], cwd=REPO, capture_output=True, text=True, check=True)
    assert built.stdout == f"{tmp_path / 'train'}\n"
    wrong = subprocess.run([*command, "trian"], cwd=REPO, capture_output=True, text=True, check=False)
    declared = flow.read()
    known = ", ".join([*declared.functions, *declared.containers])
    assert (wrong.returncode, wrong.stderr) == (1, f"Expected one of {known}. Got 'trian'.\n")
