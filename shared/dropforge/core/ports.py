"""The ports: what a step needs of the world. `core.twins` has them in memory, `dropforge.gcp` on Google Cloud."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from dropforge.contracts.events import Event


@dataclass(frozen=True)
class ObjectInfo:
    """What a listing tells of one object. `updated` is ISO 8601."""

    name: str
    generation: int
    size: int
    metadata: Mapping[str, str] = field(default_factory=dict)
    updated: str = ""


class Objects(Protocol):
    """One bucket. Every write is conditional: on nothing being there, or on a known generation."""

    bucket: str

    def stat(self, name: str, generation: int | None = None) -> ObjectInfo:
        """Describe an object. Raises NotFound."""

    def read(self, name: str, generation: int | None = None) -> tuple[bytes, int]:
        """Content and generation of a small object. Raises NotFound."""

    def download(self, name: str, path: Path, generation: int | None = None) -> int:
        """Stream an object into a file; returns its generation. Raises NotFound."""

    def create(self, name: str, content: bytes | Path, metadata: Mapping[str, str] | None = None) -> int:
        """Write an object where none is; returns its generation. Raises AlreadyExists."""

    def replace(self, name: str, content: bytes, generation: int, metadata: Mapping[str, str] | None = None) -> int:
        """Compare-and-set: write over exactly `generation` (0: nothing). Raises GenerationMismatch."""

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """Every object below `prefix`, in order of name, with metadata."""


class Topics(Protocol):
    """Where events go."""

    def publish(self, event: Event) -> None:
        """Send; returns once the service has acknowledged. Raises ServiceUnavailable."""


class Warehouse(Protocol):
    """The tables that analysts see."""

    def load(self, uri: str | Sequence[str], table: str, job_ids: Iterator[str]) -> int:
        """Append a Parquet object, or several, to a table exactly once; returns the rows of the load.

        `job_ids` yields the id for each attempt. A job of that id that succeeded before is that success; one that
        failed is passed over for the next. The table is created from the first file. Raises JobFailed.
        """


class Jobs(Protocol):
    """Where a training runs that is too large for a function."""

    def ensure(self, name: str, arguments: list[str]) -> None:
        """Start the trainer with these arguments, unless a job of this name waits, runs or has succeeded."""


class Clock(Protocol):
    """The time."""

    def now(self) -> float:
        """Seconds since the epoch."""


@dataclass(frozen=True)
class Deployed:
    """What a registry and an endpoint hold of one published candidate."""

    model: str
    version: str
    endpoint: str
    deployed_model_id: str


class Platform(Protocol):
    """The model registry and the endpoint of one pipeline. Every call may be repeated: it finds what is there."""

    def register(
        self, pipeline: str, candidate_id: str, artefact_uri: str, sha256: str, compiled_sha256: str | None = None
    ) -> tuple[str, str]:
        """Ensure a version of the pipeline's model for this candidate; returns (model resource name, version).

        `sha256` is the artefact's, `compiled_sha256` that of its compiled form: the server loads no other.
        """

    def deploy(self, pipeline: str, model: str, version: str) -> Deployed:
        """Ensure that the version is deployed, healthy and without traffic. Raises JobFailed, with its log's end."""

    def answer(self, deployed: Deployed, instances: list[dict[str, object]]) -> list[object]:
        """Predictions of exactly this deployed model, traffic or not. Raises ServiceUnavailable."""

    def timed(self, deployed: Deployed, instances: list[dict[str, object]]) -> list[float]:
        """Seconds that exactly this deployed model takes for each instance, asked by itself. As `answer` otherwise."""

    def share(self, champion: Deployed, challenger: Deployed, percent: int) -> None:
        """Give the challenger `percent` of the traffic and the champion the rest; nothing else stays deployed."""

    def serve(self, deployed: Deployed) -> None:
        """Give it all traffic, and the alias `champion`."""

    def retire(self, deployed: Deployed) -> None:
        """Undeploy every other version from the endpoint."""
