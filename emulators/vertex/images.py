"""Which local command plays which container image.

A JSON or YAML file named in DROPFORGE_VERTEX_IMAGES, read again for each deployment:

    images:
      - pattern: "*dropforge/model-server*"   # matched against the image's URI; the first match counts
        command: [python, main.py]            # plays the image's ENTRYPOINT and CMD
        folder: ../dist/model_server          # working folder, relative to this file
        environment: {PYTHONPATH: .}          # plays the image's ENV
"""

import os
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import yaml

VARIABLE = "DROPFORGE_VERTEX_IMAGES"
_KEYS = {"pattern", "command", "folder", "environment"}


class NoSuchImage(Exception):
    """No local command plays this image; the message says which are known and where."""


@dataclass(frozen=True)
class Image:
    """A local stand-in for a container image."""

    command: tuple[str, ...]
    folder: Path | None = None
    environment: dict[str, str] = field(default_factory=dict)

    def command_line(self, command: list[str], arguments: list[str], variables: dict[str, str]) -> list[str]:
        """What to run. As in a container, `command` replaces the image's own, `arguments` follow, and `$(NAME)` in
        either is replaced by the variable's value."""
        chosen = [*(command or self.command), *arguments]
        for name, value in variables.items():
            chosen = [word.replace(f"$({name})", value) for word in chosen]
        return chosen


def find_image(uri: str) -> Image:
    """The stand-in for an image's URI.

    Raises:
        NoSuchImage: the table is missing, cannot be read, or has no match.
    """
    place = os.environ.get(VARIABLE)
    if not place:
        raise NoSuchImage(f"Image {uri!r} cannot be run here: {VARIABLE} names no table of images.")
    entries = _read(Path(place))
    for entry in entries:
        if fnmatchcase(uri, entry["pattern"]):
            folder = entry.get("folder")
            return Image(
                command=tuple(str(word) for word in entry["command"]),
                folder=(Path(place).parent / folder).resolve() if folder else None,
                environment={str(name): str(value) for name, value in entry.get("environment", {}).items()},
            )
    known = ", ".join(repr(entry["pattern"]) for entry in entries) or "none"
    raise NoSuchImage(f"Image {uri!r} is not in the table {place}. Patterns there: {known}.")


def _read(path: Path) -> list[dict[str, Any]]:
    try:
        table = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise NoSuchImage(f"The table of images {path} cannot be read: {error}") from error
    entries = table.get("images") if isinstance(table, dict) else None
    if not isinstance(entries, list):
        raise NoSuchImage(f"The table of images {path} must have a list 'images'.")
    for entry in entries:
        if not isinstance(entry, dict) or not {"pattern", "command"} <= entry.keys() <= _KEYS:
            raise NoSuchImage(
                f"An image in {path} has 'pattern', 'command', and may have 'folder', 'environment'. Got {entry}."
            )
    return entries
