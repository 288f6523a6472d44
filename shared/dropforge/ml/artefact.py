"""The artefact as bytes: joblib, known by its SHA-256, and never loaded under another."""

import io
from hashlib import sha256
from pathlib import Path
from typing import Any

import joblib

from dropforge.contracts.errors import ArtefactTampered


def dump(model: object) -> tuple[bytes, str]:
    """Content and SHA-256 of an artefact. Equal models give equal bytes."""
    buffer = io.BytesIO()
    joblib.dump(model, buffer)
    content = buffer.getvalue()
    return content, sha256(content).hexdigest()


def load(source: Path | bytes, digest: str) -> Any:
    """The model of an artefact, unpickled only once its digest is known to be `digest`.

    The bytes that were hashed are those that are unpickled, so a file changed in between changes nothing.

    Raises:
        ArtefactTampered: the content has another digest.
    """
    content = source if isinstance(source, bytes) else source.read_bytes()
    found = sha256(content).hexdigest()
    if found != digest:
        raise ArtefactTampered(
            f"Expected an artefact of SHA-256 {digest}. Found {found}.", expected=digest, found=found
        )
    return joblib.load(io.BytesIO(content))
