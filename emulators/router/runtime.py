"""What an instance is started with: the interpreter, the bundle, and the environment that Cloud Run would give it."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from emulators.router.instance import Instance
from emulators.router.logs import Log
from functions.flow import Function

_LAUNCHER = Path(__file__).with_name("serve_function.py")
# They would bring the source tree, or settings of the router's own interpreter, into the function's process.
_NOT_FOR_FUNCTIONS = ("PYTHONPATH", "PYTHONHOME", "PYTHONSAFEPATH", "PYTHONWARNINGS", "VIRTUAL_ENV")


@dataclass(frozen=True)
class Runtime:
    """What all functions share.

    `pending`: how many requests may wait for one function while all its instances are taken.
    `idle_seconds`: after how long an unused instance is ended.
    """

    dist: Path
    environment: Mapping[str, str]
    project: str
    python: str = sys.executable
    idle_seconds: float = 900
    pending: int = 100

    def instance(self, name: str, function: Function, log: Log) -> Instance:
        """An instance of `name`, not yet started."""
        bundle = self.dist / name
        given = {key: value for key, value in self.environment.items() if key not in _NOT_FOR_FUNCTIONS}
        given |= {
            "FUNCTION_TARGET": function.entry_point,
            "FUNCTION_SIGNATURE_TYPE": "cloudevent" if function.trigger.http is None else "http",
            "FUNCTION_USE_ASGI": "true" if function.asgi else "false",
            "K_SERVICE": name,
            "K_CONFIGURATION": name,
            "K_REVISION": f"{name}-00001-{_revision(bundle)}",
            "GOOGLE_CLOUD_PROJECT": self.project,
            "PYTHONUNBUFFERED": "1",
        }
        # -P: else Python would put this launcher's folder first on sys.path.
        return Instance([self.python, "-P", str(_LAUNCHER)], bundle, given, log)


def _revision(bundle: Path) -> str:
    """Three letters that change with the bundle."""
    archive = bundle.with_name(f"{bundle.name}.zip")
    return sha256(archive.read_bytes() if archive.is_file() else b"").hexdigest()[:3]
