"""All local services in the order in which they need each other, and what clients must be told to reach them."""

import fcntl
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

import functions.flow as flow_file
from emulators.control import PREFIX
from infra.local.service import ROOT, Service, sheltered

PROJECT = "dropforge-local"
LOCATION = "us-central1"

# Ports that are tried first, so that addresses stay the same from one run to the next.
PORTS = {"pubsub": 8085, "storage": 9023, "bigquery": 9050, "vertex": 8910, "router": 8080}

# How clients are told where a service is.
ADDRESSES = {
    "pubsub": "PUBSUB_EMULATOR_HOST",
    "storage": "STORAGE_EMULATOR_HOST",
    "vertex": "DROPFORGE_VERTEX_API",
    "bigquery": "BIGQUERY_EMULATOR_HOST",
}

# What a user may set for the Vertex AI emulator; see its package.
PASSED_ON = ("DROPFORGE_VERTEX_TLS", "DROPFORGE_VERTEX_QUOTAS")

Tell = Callable[[str], None]


class Stack:
    """The services of one machine, with their state below `home`; None keeps it in memory."""

    def __init__(self, home: Path, tell: Tell, *, persistent: bool = True, ports: dict[str, int] | None = None) -> None:
        self._home = home
        self._tell = tell
        self._logs = home / "logs"
        self._logs.mkdir(parents=True, exist_ok=True)
        state = home / "state" if persistent else None
        wanted = {**PORTS, **(ports or {})}
        self.services = {
            name: Service(name, wanted[name], state / name if state else None, self._logs) for name in PORTS
        }

    def environment(self) -> dict[str, str]:
        """What a client, a function or a shell needs to reach the services that run."""
        told = {"GOOGLE_CLOUD_PROJECT": PROJECT, "DROPFORGE_LOCATION": LOCATION}
        for name, variable in ADDRESSES.items():
            if self.services[name].url:
                told[variable] = self.services[name].url
        if self.services["pubsub"].control:
            told["DROPFORGE_PUBSUB_API"] = self.services["pubsub"].control
        return told

    def start_emulators(self) -> None:
        """Start the emulators at once: each is told where the others will be, and calls them when it needs them.

        Raises:
            StartFailed: one of them did not come up.
        """
        self._start(list(ADDRESSES))

    def start_functions(self) -> None:
        """Start the event router, which starts the functions. What they read must be provisioned before.

        Raises:
            StartFailed: it did not come up.
        """
        self._start(["router"])

    def _start(self, names: list[str]) -> None:
        for name in names:
            wanted = self.services[name].port
            self._reserve(name)
            if wanted not in (0, self.services[name].port):
                self._tell(f"port {wanted} is taken: {name} gets another")
        for name in names:
            self.services[name].start(self._process_environment())
        for name in names:
            self.services[name].wait()
            self._tell(f"{name} is ready at {self.services[name].url}")
        self._write_environment()

    def _reserve(self, name: str) -> None:
        """Settle a service's port, which must be none that another was promised."""
        others = {service.port for other, service in self.services.items() if other != name}
        self.services[name].reserve()
        while self.services[name].port in others:
            self.services[name].port = 0
            self.services[name].reserve()

    def revive(self) -> list[str]:
        """Restart what died; returns the names. State is on disk, so that nothing acknowledged is lost."""
        return [name for name, service in self.services.items() if service.pid is None and service.revive()]

    def stop(self) -> None:
        """Stop everything, the last started first."""
        for service in reversed(list(self.services.values())):
            service.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        self.stop()

    def _process_environment(self) -> dict[str, str]:
        return {
            **sheltered(),
            **self._planned(),
            "PYTHONPATH": str(ROOT),
            "DROPFORGE_PYTHON": sys.executable,
            "DROPFORGE_DIST": str(ROOT / "dist"),
            "DROPFORGE_FLOW": str(ROOT / "functions" / "flow.yaml"),
            "DROPFORGE_BIGQUERY_ENV": str(ROOT / ".dropforge" / "bigquery-env"),
            "DROPFORGE_VERTEX_IMAGES": str(self._images()),
            "DROPFORGE_EMULATORS_AUTHORITY": str(self._home.resolve() / "authority"),
            "DROPFORGE_WARM": "all",
            "DROPFORGE_TRACES": f"file:{self._home / 'traces'}",
            "DROPFORGE_AUTH": os.environ.get("DROPFORGE_AUTH", "off"),
            **{name: os.environ[name] for name in PASSED_ON if name in os.environ},
            **self._controls(),
        }

    def _planned(self) -> dict[str, str]:
        """The environment as it will be once the emulators, whose ports are settled, are ready."""
        addresses = {
            variable: f"{'' if name == 'pubsub' else 'http://'}{self.services[name].host}:{self.services[name].port}"
            for name, variable in ADDRESSES.items()
        }
        return {**self.environment(), **addresses}

    def _images(self) -> Path:
        """The table from which the Vertex AI emulator learns what to run for a container image."""
        containers = flow_file.read(ROOT / "functions" / "flow.yaml").containers
        table = [
            {
                "pattern": f"*{container.image}*",
                "command": [sys.executable if word == "python" else word for word in container.command],
                "folder": str(ROOT / "dist" / name),
            }
            for name, container in containers.items()
        ]
        path = self._home / "images.json"
        path.write_text(json.dumps({"images": table}, indent=1))
        return path

    def tools(self) -> dict[str, str]:
        """What `gcloud` must be told, so that it reaches the services that run, and as nobody."""
        told = {"CLOUDSDK_AUTH_DISABLE_CREDENTIALS": "true", "CLOUDSDK_CORE_PROJECT": PROJECT}
        for name, variable, path in (
            ("storage", "STORAGE", "/storage/v1/"),
            ("pubsub", "PUBSUB", "/"),
            ("vertex", "AIPLATFORM", "/"),
        ):
            if self.services[name].control:
                told[f"CLOUDSDK_API_ENDPOINT_OVERRIDES_{variable}"] = self.services[name].control + path
        return told

    def exports(self) -> str:
        """Lines for a shell: how clients and `gcloud` reach the services that run, and where each is controlled."""
        announced = {name: value for service in self.services.values() for name, value in service.variables.items()}
        told = {**self.environment(), **announced, **self.tools(), **self._controls()}
        return "".join(f"export {name}={value}\n" for name, value in told.items())

    def _controls(self) -> dict[str, str]:
        return {
            f"{name.upper()}_EMULATOR_CONTROL": f"{service.control}{PREFIX}"
            for name, service in self.services.items()
            if service.control
        }

    def _write_environment(self) -> None:
        (self._home / "environment.sh").write_text(self.exports())


@contextmanager
def only_one(home: Path) -> Iterator[None]:
    """Hold the lock of `home`, so that two runs do not share one state.

    Raises:
        SystemExit: another run holds it.
    """
    home.mkdir(parents=True, exist_ok=True)
    with (home / "local.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            sys.exit(f"Another `./deploy.sh local` runs on {home}. Stop it first, or give this one another --home.")
        yield
