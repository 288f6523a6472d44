"""How a compiled predictor is stored: JSON, named by its digest."""

import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any, Protocol

from dropforge.contracts.errors import ArtefactTampered
from dropforge.core.compiled.classes import Classes
from dropforge.core.compiled.explained import Explanation
from dropforge.core.compiled.linear import Linear
from dropforge.core.compiled.personal import Personal
from dropforge.core.compiled.trees import Compiled

FORMAT = 1


class Predictor(Protocol):
    """What every compiled form does."""

    def predict(self, instances: Sequence[Mapping[str, Any]]) -> list[Any]:
        """The probability of the positive class for each instance; its number; or the probability of each class."""

    def explain(self, instances: Sequence[Mapping[str, Any]]) -> list[Explanation]:
        """What each column adds to each of these."""

    def hasten(self) -> None:
        """Spend up to a tenth of a second on faster answers, for one who will be asked often; they stay the same."""

    def said(self) -> dict[str, Any]:
        """Itself, as JSON."""


def dump(compiled: Predictor) -> tuple[bytes, str]:
    """Content, which is JSON, and its SHA-256. Equal predictors give equal bytes."""
    said = {"format": FORMAT, **compiled.said()}
    content = json.dumps(said, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()
    return content, sha256(content).hexdigest()


def load(content: bytes, digest: str) -> Predictor:
    """The predictor that `dump` gave.

    Raises:
        ArtefactTampered: the content has another digest, or is of another format.
    """
    found = sha256(content).hexdigest()
    if found != digest:
        raise ArtefactTampered(f"Expected a compiled predictor of SHA-256 {digest}. Found {found}.", expected=digest)
    said = json.loads(content)
    given = said.pop("format")
    if given != FORMAT:
        raise ArtefactTampered(f"Expected a compiled predictor of format {FORMAT}. Found {given!r}.")
    return Personal.read(said, _common(said["common"])) if "personal" in said else _common(said)


def _common(said: dict[str, Any]) -> Compiled | Linear | Classes:
    if said.pop("classes", False):
        return Classes.read(said)
    return Linear.read(said) if said.pop("linear", False) else Compiled.read(said)
