"""`./deploy.sh` is the one door: what it lists is there, and what is there it lists."""

import importlib
import re
import subprocess
from pathlib import Path

import pytest

from infra.__main__ import COMMANDS

REPO = Path(__file__).parents[2]
IN_SHELL = {"reset"}


def door(*arguments: str) -> subprocess.CompletedProcess[str]:
    """`./deploy.sh` with these arguments."""
    return subprocess.run(
        [str(REPO / "deploy.sh"), *arguments], capture_output=True, text=True, timeout=60, check=False
    )


def test_it_lists_every_command_and_no_other() -> None:
    """With no arguments it needs no environment and tells what can be done."""
    listed = set(re.findall(r"^  \./deploy\.sh ([a-z-]+)", door().stdout, re.MULTILINE))
    assert listed == set(COMMANDS) | IN_SHELL


def test_an_unknown_command_is_named() -> None:
    """A typing error is answered with what there is."""
    answer = door("lokal")
    assert answer.returncode == 2
    assert "'lokal'" in answer.stderr
    assert "local" in answer.stderr


@pytest.mark.parametrize("name", sorted({*COMMANDS} - {"test"}))
def test_each_command_says_more_of_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """`--help` works for each, save `test`, whose arguments are pytest's."""
    with pytest.raises(SystemExit) as ended:
        importlib.import_module(COMMANDS[name]).main(["--help"])
    assert ended.value.code == 0
    assert "usage" in capsys.readouterr().out
