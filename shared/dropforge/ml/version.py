"""What code and which libraries made a model: part of its identity, since another version may give another model."""

import platform
from functools import cache
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

import dropforge

_PACKAGE = Path(dropforge.__file__).parent
_LEARNING = (
    *("encoder", "timeparts", "texts", "targets", "cycles", "rows", "recipes"),
    *("groups", "choose", "window", "calibrate", "score", "fit", "updating", "onward", "training", "artefact"),
    *("paired", "influence", "serving", "sample"),
    *(f"personal/{name}" for name in ("choose", "correction", "learn", "model", "raw")),
)
# What decides which rows are learned from and what is learned. A change elsewhere makes no other model.
_DECIDES = (
    "core/dataset.py",
    *(f"ml/{name}.py" for name in _LEARNING),
)
_LIBRARIES = ("scikit-learn", "numpy", "scipy", "joblib")


@cache
def code_version() -> str:
    """The release and 12 hexadecimal digits of the modules that decide what a model is."""
    sources = sha256(b"\n".join((_PACKAGE / name).read_bytes() for name in _DECIDES))
    return f"{dropforge.__version__}+{sources.hexdigest()[:12]}"


@cache
def libraries() -> dict[str, str]:
    """The versions of Python and of the libraries that an artefact depends on."""
    return {"python": platform.python_version(), **{name: version(name) for name in _LIBRARIES}}
