"""What every test lives under: no network but loopback, and no credentials of the person who runs them."""

import ipaddress
import os
import sys
from typing import Any

from hypothesis import settings

from tests import cloud

# The same examples each time, so that a landing does not hang on luck; HYPOTHESIS_PROFILE=explore looks for new ones.
settings.register_profile("same", derandomize=True, deadline=None)
settings.register_profile("explore", deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))

CREDENTIALS = "GOOGLE_APPLICATION_CREDENTIALS"

for name in list(os.environ):
    if cloud.PROJECT and name == CREDENTIALS:
        continue
    if name.startswith(("GOOGLE_", "CLOUDSDK_", "DROPFORGE_")) or name.endswith("_EMULATOR_HOST"):
        del os.environ[name]


class LeftLoopback(Exception):
    """A test tried to reach an address that is not this machine's own."""


def _only_loopback(event: str, arguments: tuple[Any, ...]) -> None:
    """An audit hook (PEP 578): sees every connection of this process, whatever library opens it."""
    if event != "socket.connect" or not isinstance(arguments[1], tuple):
        return
    host = str(arguments[1][0])
    if host != "localhost" and not ipaddress.ip_address(host).is_loopback:
        raise LeftLoopback(f"Expected loopback only. Found a connection to {arguments[1]!r}.")


if not cloud.PROJECT:  # else somebody has asked for the real service, by name
    sys.addaudithook(_only_loopback)
