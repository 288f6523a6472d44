"""From the few packages that a function names to its own pinned `requirements.txt`, offline.

The pins are those of the root `requirements.txt`; what needs what is read from the metadata of the packages that are
installed in the running environment, for the platform that functions run on.
"""

import importlib.metadata
from collections.abc import Iterable
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name

# What a marker such as `python_version < "3.14"` is judged by: Cloud Run's runtime python313, not this machine.
TARGET = {
    "python_version": "3.13",
    "python_full_version": "3.13.0",
    "implementation_name": "cpython",
    "platform_python_implementation": "CPython",
    "sys_platform": "linux",
    "platform_system": "Linux",
    "platform_machine": "x86_64",
    "os_name": "posix",
}


class PinMissing(Exception):
    """A package is needed that the root requirements do not pin, or that is installed in another version."""


def read_requirements(path: Path) -> list[Requirement]:
    """The requirements of a file in pip's format: one a line, comments allowed, options ignored."""
    lines = (line.partition("#")[0].strip() for line in path.read_text().splitlines())
    return [Requirement(line) for line in lines if line and not line.startswith("-")]


def pinned(direct: Iterable[Requirement], root: Path) -> list[str]:
    """`name==version` lines, sorted, of `direct` and everything beneath them, with the versions of `root`.

    Raises:
        PinMissing: `root` does not pin a package that is needed, or another version of it is installed here.
    """
    pins = {canonicalize_name(pin.name): pin for pin in read_requirements(root)}
    wanted: dict[NormalizedName, set[str]] = {}
    open_: list[tuple[Requirement, str]] = [(requirement, "requirements.in") for requirement in direct]
    while open_:
        requirement, needed_by = open_.pop()
        name = canonicalize_name(requirement.name)
        extras = {"", *requirement.extras}
        new = extras - wanted.get(name, set())
        if not new:
            continue
        wanted.setdefault(name, set()).update(new)
        if name not in pins:
            raise PinMissing(f"{needed_by} needs {name}, which {root} does not pin. Re-pin it from requirements.in.")
        open_ += [(needed, name) for needed in _needs(name, pins[name], new)]
    return [f"{name}{pins[name].specifier}" for name in sorted(wanted)]


def _needs(name: str, pin: Requirement, extras: set[str]) -> list[Requirement]:
    """What the installed `name` needs for any of `extras`, where the empty one stands for the package itself."""
    try:
        installed = importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError as error:
        raise PinMissing(f"{pin} is pinned, but not installed here. Install the root requirements first.") from error
    if not pin.specifier.contains(installed.version, prereleases=True):
        raise PinMissing(f"Expected {pin} to be installed. Found {name} {installed.version}.")
    needs = [Requirement(text) for text in installed.requires or []]
    return [
        need
        for need in needs
        if need.marker is None or any(need.marker.evaluate({**TARGET, "extra": extra}) for extra in extras)
    ]
