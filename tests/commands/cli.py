"""Commands as a person starts them, on a deployment in memory."""

import importlib
import json
from collections.abc import Callable
from typing import Any

import pytest

from infra.__main__ import COMMANDS
from infra.commands import deployment

Run = Callable[..., tuple[int, Any]]


class Cli:
    """Runs commands in this process; `services` is whatever has the ports that the command uses."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch = monkeypatch
        self._capsys = capsys

    def tell(self, services: object, *arguments: str) -> tuple[int, str, str]:
        """Exit code, and what a person sees on standard output and standard error."""
        self._monkeypatch.setattr(deployment, "connect", lambda _: services)
        name, *rest = arguments
        self._capsys.readouterr()
        status = importlib.import_module(COMMANDS[name]).main(rest)
        said = self._capsys.readouterr()
        return status, said.out, said.err

    def ask(self, services: object, *arguments: str) -> Any:
        """What a machine reads from a command that ends well."""
        status, out, _ = self.tell(services, *arguments, "--json")
        assert status == 0, out
        return json.loads(out)
