"""What a server reads of the stored `Champion` and `Candidate`: the few keys that it needs, without pydantic.

Importing pydantic and building the models costs a cold start 0.1 s. Whoever writes these records does so through the
models, which are strict, and a test holds the keys here to the fields there.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Self

from dropforge.contracts.errors import FileUnreadable
from dropforge.contracts.outcomes import Outcome


@dataclass(frozen=True)
class ServedField:
    """As `models.Field`."""

    name: str
    type: str
    required: bool
    unit: str | None = None
    min: float | None = None
    max: float | None = None
    allowed: list[str] | None = None


@dataclass(frozen=True)
class ServedCandidate:
    """As `models.Candidate`, in part."""

    pipeline: str
    candidate_id: str
    artefact_sha256: str
    compiled_sha256: str | None
    compiled_because: str
    signature: list[ServedField]
    task: str = "binary"
    classes: list[str] = field(default_factory=list)

    @property
    def outcome(self) -> Outcome:
        """What it predicts."""
        return Outcome(self.task, self.classes)

    @classmethod
    def read(cls, content: bytes, where: str) -> Self:
        """Read a `candidate.json`; a key that it lacks because it is older is None or empty.

        Raises:
            FileUnreadable: it is none.
        """
        said = _object(content, where)
        try:
            return cls(
                pipeline=said["pipeline"],
                candidate_id=said["candidate_id"],
                artefact_sha256=said["artefact_sha256"],
                compiled_sha256=said.get("compiled_sha256"),
                compiled_because=said.get("compiled_because", ""),
                signature=[ServedField(**each) for each in said["signature"]],
                task=said.get("task", "binary"),
                classes=said.get("classes", []),
            )
        except (KeyError, TypeError) as error:
            raise FileUnreadable(
                f"Expected a candidate in {where}. Found one without {error}.", object=where
            ) from error


@dataclass(frozen=True)
class ServedChampion:
    """As `models.Champion`, in part."""

    pipeline: str
    candidate_id: str
    version: str
    model: str
    endpoint: str
    deployed_model_id: str
    artefact_sha256: str
    trained_until: str
    published: str

    @classmethod
    def read(cls, content: bytes, where: str) -> Self:
        """Read a champion pointer.

        Raises:
            FileUnreadable: it is none.
        """
        return cls(**_values(content, where, "a champion", cls.__dataclass_fields__))


@dataclass(frozen=True)
class ServedCanary:
    """As `canary.Canary`, in part."""

    candidate_id: str
    version: str
    model: str
    champion_id: str
    shares: list[int]
    step: int
    began: str
    status: str

    @classmethod
    def read(cls, content: bytes, where: str) -> Self:
        """Read a canary's state.

        Raises:
            FileUnreadable: it is none.
        """
        return cls(**_values(content, where, "a canary", cls.__dataclass_fields__))


def _values(content: bytes, where: str, what: str, names: Iterable[str]) -> dict[str, Any]:
    said = _object(content, where)
    try:
        return {name: said[name] for name in names}
    except KeyError as error:
        raise FileUnreadable(f"Expected {what} in {where}. Found one without {error}.", object=where) from error


def _object(content: bytes, where: str) -> dict[str, Any]:
    try:
        said = json.loads(content)
    except ValueError as error:
        raise FileUnreadable(f"Expected JSON in {where}: {error}.", object=where) from error
    if not isinstance(said, dict):
        raise FileUnreadable(f"Expected a JSON object in {where}. Found {type(said).__name__}.", object=where)
    return said
