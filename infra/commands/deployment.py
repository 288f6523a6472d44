"""Which deployment a command talks to: the one that runs on this machine, or the one that the usual variables name."""

import os
import shlex
import socket
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from dropforge.contracts.errors import SettingsInvalid
from dropforge.contracts.settings import Settings
from dropforge.gcp.services import Services

ROOT = Path(__file__).parents[2]
USUAL_HOME = ROOT / ".dropforge"
_STORAGE = "STORAGE_EMULATOR_HOST"
_LOOPBACK = "127.0.0.1,localhost"


def connect(home: Path | None) -> Services:
    """The services of the local run in `home`; without one, of the project that the environment names, and where it
    names none, of the local run in the usual place.

    Sets this process's environment, which Google's clients read.

    Raises:
        SettingsInvalid: there is no such deployment, or the local one does not run.
    """
    if home is None and os.environ.get("GOOGLE_CLOUD_PROJECT"):
        return Services(Settings.read())
    file = (home or USUAL_HOME) / "environment.sh"
    if not file.exists():
        raise SettingsInvalid(
            f"Expected a running `./deploy.sh local`, which writes {file}, or GOOGLE_CLOUD_PROJECT of a deployment on "
            "Google Cloud. Found neither."
        )
    told = variables(file.read_text(), str(file))
    _expect_running(told, file)
    os.environ.update(told)
    for name in ("NO_PROXY", "no_proxy"):  # a company's proxy does not know this machine's loopback
        os.environ[name] = ",".join(filter(None, [os.environ.get(name), _LOOPBACK]))
    return Services(Settings.read())


def variables(text: str, where: str) -> dict[str, str]:
    """The variables of lines such as `export NAME=value`.

    >>> variables("export PUBSUB_EMULATOR_HOST=127.0.0.1:8085", "environment.sh")
    {'PUBSUB_EMULATOR_HOST': '127.0.0.1:8085'}

    Raises:
        SettingsInvalid: a line is of another form.
    """
    found = {}
    for number, line in enumerate(text.splitlines(), start=1):
        match shlex.split(line, comments=True):
            case []:
                continue
            case ["export", assignment] if "=" in assignment:
                name, _, value = assignment.partition("=")
                found[name] = value
            case _:
                raise SettingsInvalid(f"{where}, line {number}: expected `export NAME=value`. Found {line!r}.")
    return found


def _expect_running(told: Mapping[str, str], file: Path) -> None:
    address = urlsplit(told.get(_STORAGE, ""))
    try:
        with socket.create_connection((address.hostname or "127.0.0.1", address.port or 0), timeout=2):
            return
    except OSError as error:
        raise SettingsInvalid(
            f"{file} tells of a Cloud Storage emulator at {told.get(_STORAGE)}. Expected it to answer. Found {error}: "
            "start it with `./deploy.sh local`."
        ) from error
