"""What Vertex AI takes as a model, an alias, a label, an id; wrong ones are refused here as they are there."""

import re
import secrets
from typing import Any

from emulators.vertex.errors import InvalidArgument
from emulators.vertex.schema import Json

_ALIAS = re.compile(r"[a-z][a-zA-Z0-9-]{0,126}[a-z0-9]")
_MODEL_ID = re.compile(r"[a-z0-9_-]{1,63}")
_LABEL_KEY = re.compile(r"[^\W\d_][\w-]{0,62}")  # letters of any alphabet, but none in upper case
_LABEL_VALUE = re.compile(r"[\w-]{0,63}")


def fresh_etag() -> str:
    """An opaque token of a resource's state."""
    return secrets.token_urlsafe(12)


def check_model(model: Json) -> None:
    """Refuse a model that could not be served.

    Raises:
        InvalidArgument: it has no name or container, or something of the wrong form.
    """
    if not model.get("displayName"):
        raise InvalidArgument("Model.display_name is required.")
    if len(model["displayName"]) > 128:
        raise InvalidArgument(f"Model.display_name may have 128 characters. Got {len(model['displayName'])}.")
    if not model.get("containerSpec", {}).get("imageUri"):
        raise InvalidArgument("Model.container_spec.image_uri is required for custom-trained Models.")
    reserved = [env["name"] for env in model["containerSpec"].get("env", []) if env["name"].startswith("AIP_")]
    if reserved:
        raise InvalidArgument(f"Variables that begin with AIP_ are Vertex AI's own. Got {', '.join(reserved)}.")
    check_labels(model.get("labels", {}))
    check_aliases(set(model.get("versionAliases", [])))


def check_aliases(aliases: set[str]) -> None:
    """Refuse aliases of the wrong form.

    Raises:
        InvalidArgument: one is.
    """
    wrong = sorted(alias for alias in aliases if not _ALIAS.fullmatch(alias))
    if wrong:
        raise InvalidArgument(f"Version aliases must match {_ALIAS.pattern}. Got {', '.join(wrong)}.")


def check_model_id(model_id: str) -> None:
    """Refuse an id that a caller may not choose.

    Raises:
        InvalidArgument: it is of the wrong form.
    """
    if not _MODEL_ID.fullmatch(model_id):
        raise InvalidArgument(f"Invalid model ID {model_id!r}: expected up to 63 characters of [a-z0-9_-].")


def check_labels(labels: dict[str, Any]) -> None:
    """Refuse labels that Google Cloud refuses.

    Raises:
        InvalidArgument: too many, or one of the wrong form.
    """
    if len(labels) > 64:
        raise InvalidArgument(f"A resource may have 64 labels. Got {len(labels)}.")
    for key, value in labels.items():
        well_formed = _LABEL_KEY.fullmatch(key) and _LABEL_VALUE.fullmatch(value)
        if not well_formed or key != key.lower() or value != value.lower():
            raise InvalidArgument(
                f"Invalid label {key}={value}: keys start with a letter, and keys and values have up to 63 characters "
                "of lowercase letters, digits, underscores and dashes."
            )
