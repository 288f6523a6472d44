"""What tests of commands share."""

import pytest

from tests.commands.cli import Cli
from tests.functions.drops import Shop


@pytest.fixture
def shop() -> Shop:
    """A deployment in memory with the pipeline `shop`."""
    return Shop().deploy()


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    """Commands as a person starts them."""
    return Cli(monkeypatch, capsys)
