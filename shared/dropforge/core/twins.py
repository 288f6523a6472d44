"""In-memory twins of the ports: same contract, same errors, milliseconds. One suite runs over twin and real alike."""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from dropforge.contracts.errors import AlreadyExists, GenerationMismatch, NotFound, ServiceUnavailable
from dropforge.contracts.events import Event
from dropforge.core.ports import Deployed, ObjectInfo


@dataclass
class MemoryObjects:
    """A bucket in memory; keeps every generation, as a bucket with versioning does."""

    bucket: str = "memory"
    _versions: dict[str, dict[int, tuple[bytes, dict[str, str], str]]] = field(default_factory=dict)
    _last: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def _find(self, name: str, generation: int | None) -> tuple[int, tuple[bytes, dict[str, str], str]]:
        versions = self._versions.get(name, {})
        wanted = max(versions, default=0) if generation is None else generation
        if wanted not in versions:
            raise NotFound(f"gs://{self.bucket}/{name} (generation {generation or 'any'}) is not there.", object=name)
        return wanted, versions[wanted]

    def stat(self, name: str, generation: int | None = None) -> ObjectInfo:
        """As `Objects.stat`."""
        found, (content, metadata, updated) = self._find(name, generation)
        return ObjectInfo(name, found, len(content), metadata, updated)

    def read(self, name: str, generation: int | None = None) -> tuple[bytes, int]:
        """As `Objects.read`."""
        found, (content, _, _) = self._find(name, generation)
        return content, found

    def download(self, name: str, path: Path, generation: int | None = None) -> int:
        """As `Objects.download`."""
        content, found = self.read(name, generation)
        path.write_bytes(content)
        return found

    def create(self, name: str, content: bytes | Path, metadata: Mapping[str, str] | None = None) -> int:
        """As `Objects.create`."""
        body = content.read_bytes() if isinstance(content, Path) else content
        try:
            return self.replace(name, body, 0, metadata)
        except GenerationMismatch:
            raise AlreadyExists(f"gs://{self.bucket}/{name} is there already.", object=name) from None

    def replace(self, name: str, content: bytes, generation: int, metadata: Mapping[str, str] | None = None) -> int:
        """As `Objects.replace`."""
        with self._lock:
            live = max(self._versions.get(name, {}), default=0)
            if live != generation:
                raise GenerationMismatch(
                    f"gs://{self.bucket}/{name}: expected generation {generation}, found {live}.", object=name
                )
            self._last += 1
            stamp = datetime.now(UTC).isoformat()
            self._versions.setdefault(name, {})[self._last] = (content, dict(metadata or {}), stamp)
            return self._last

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """As `Objects.list`."""
        for name in sorted(self._versions):
            if name.startswith(prefix):
                yield self.stat(name)


@dataclass
class MemoryTopics:
    """Keeps what was published, in order."""

    published: list[Event] = field(default_factory=list)

    def publish(self, event: Event) -> None:
        """As `Topics.publish`."""
        self.published.append(event)


@dataclass
class MemoryWarehouse:
    """Keeps which job loaded which object into which table; a job id loads once."""

    jobs: dict[str, tuple[str | Sequence[str], str]] = field(default_factory=dict)

    def load(self, uri: str | Sequence[str], table: str, job_ids: Iterator[str]) -> int:
        """As `Warehouse.load`, but counts no rows: always 0."""
        self.jobs.setdefault(next(job_ids), (uri, table))
        return 0


@dataclass
class MemoryJobs:
    """Jobs that are noted, and run by whoever wants to."""

    started: dict[str, list[str]] = field(default_factory=dict)

    def ensure(self, name: str, arguments: list[str]) -> None:
        """As `Jobs.ensure`."""
        self.started.setdefault(name, arguments)


@dataclass
class SetClock:
    """A clock that a test sets."""

    seconds: float = 1_700_000_000.0

    def now(self) -> float:
        """As `Clock.now`."""
        return self.seconds


@dataclass(frozen=True)
class MemoryVersion:
    """One registered version and what it was made from."""

    version: str
    artefact_uri: str
    sha256: str


@dataclass
class MemoryPlatform:
    """A registry and an endpoint in memory; `server` answers for a deployed version as the model server would."""

    server: Callable[[MemoryVersion, list[dict[str, object]]], list[object]]
    versions: dict[str, dict[str, MemoryVersion]] = field(default_factory=dict)  # pipeline -> candidate -> version
    deployed: dict[str, set[str]] = field(default_factory=dict)  # endpoint -> versions
    traffic: dict[str, str] = field(default_factory=dict)  # endpoint -> the version that answers callers
    seconds: dict[str, float] = field(default_factory=dict)  # version -> what an answer takes; a millisecond if unnamed
    alias: dict[str, str] = field(default_factory=dict)  # model -> the version called champion
    canary: dict[str, tuple[str, int]] = field(default_factory=dict)  # endpoint -> version, its percentage

    def register(
        self,
        pipeline: str,
        candidate_id: str,
        artefact_uri: str,
        sha256: str,
        compiled_sha256: str | None = None,  # noqa: ARG002  # only a real server loads it
    ) -> tuple[str, str]:
        """As `Platform.register`."""
        known = self.versions.setdefault(pipeline, {})
        made = known.setdefault(candidate_id, MemoryVersion(str(len(known) + 1), artefact_uri, sha256))
        return f"models/{pipeline}", made.version

    def deploy(self, pipeline: str, model: str, version: str) -> Deployed:
        """As `Platform.deploy`."""
        self.deployed.setdefault(f"endpoints/{pipeline}", set()).add(version)
        return Deployed(model, version, f"endpoints/{pipeline}", f"deployed-{version}")

    def answer(self, deployed: Deployed, instances: list[dict[str, object]]) -> list[object]:
        """As `Platform.answer`."""
        self._there(deployed)
        versions = self.versions[deployed.model.removeprefix("models/")].values()
        return self.server(next(each for each in versions if each.version == deployed.version), instances)

    def timed(self, deployed: Deployed, instances: list[dict[str, object]]) -> list[float]:
        """As `Platform.timed`."""
        self._there(deployed)
        return [self.seconds.get(deployed.version, 0.001)] * len(instances)

    def share(self, champion: Deployed, challenger: Deployed, percent: int) -> None:
        """As `Platform.share`."""
        self._there(champion)
        self._there(challenger)
        self.traffic[champion.endpoint] = champion.version
        self.canary[champion.endpoint] = challenger.version, percent
        self.deployed[champion.endpoint] &= {champion.version, challenger.version}

    def serve(self, deployed: Deployed) -> None:
        """As `Platform.serve`."""
        self._there(deployed)
        self.canary.pop(deployed.endpoint, None)
        self.traffic[deployed.endpoint] = deployed.version
        self.alias[deployed.model] = deployed.version

    def retire(self, deployed: Deployed) -> None:
        """As `Platform.retire`."""
        self.deployed[deployed.endpoint] &= {deployed.version}

    def _there(self, deployed: Deployed) -> None:
        if deployed.version not in self.deployed.get(deployed.endpoint, set()):
            raise ServiceUnavailable(f"Version {deployed.version} is not deployed at {deployed.endpoint}.")
