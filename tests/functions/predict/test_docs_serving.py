"""The commands of docs/serving.md are run as they stand there, and answer in the shape that stands below them."""

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from functions.build import REPO
from tests.functions.predict.conftest import Predict

BLOCKS = re.findall(r"```(\w+)\n(.*?)```", (REPO / "docs" / "serving.md").read_text(), re.DOTALL)
COMMANDS = [code for language, code in BLOCKS if language == "sh"]
SHAPES = {
    BLOCKS[number - 1][1]: json.loads(code) for number, (language, code) in enumerate(BLOCKS) if language == "json"
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a person runs them, one after the other."""
    return tmp_path_factory.mktemp("docs")


def same_shape(said: Any, found: Any) -> bool:
    """Whether all that the page shows is there, of the same kinds; an answer may have more."""
    if isinstance(said, dict):
        return isinstance(found, dict) and all(name in found and same_shape(said[name], found[name]) for name in said)
    if isinstance(said, list):
        return isinstance(found, list) and bool(found) and same_shape(said[0], found[0])
    numbers = isinstance(said, int | float) and isinstance(found, int | float)
    return numbers or type(said) is type(found)


@pytest.mark.parametrize("command", COMMANDS, ids=range(len(COMMANDS)))
def test_a_command_of_the_page_is_answered_as_it_says(predict: Predict, folder: Path, command: str) -> None:
    """In the order of the page, since later ones read a file that an earlier one writes."""
    given = {**os.environ, "URL": predict.url, "NO_PROXY": "127.0.0.1"}
    run = subprocess.run(["bash", "-ec", command], cwd=folder, env=given, capture_output=True, text=True, check=True)
    if "curl" in command:
        found, _ = json.JSONDecoder().raw_decode(run.stdout)  # of several, the first
        assert same_shape(SHAPES.get(command, {}), found), found


def test_the_page_shows_what_differs() -> None:
    """A comparison that took anything for the same would let the page drift."""
    assert not same_shape({"a": 1}, {"b": 1})
    assert not same_shape({"a": [{"b": "x"}]}, {"a": []})
    assert len(SHAPES) == 3
