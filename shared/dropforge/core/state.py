"""Small typed objects in the state bucket: read, create once, compare-and-set."""

from pydantic import BaseModel

from dropforge.contracts.errors import AlreadyExists, NotFound
from dropforge.core.ports import Objects


def load[M: BaseModel](objects: Objects, name: str, kind: type[M]) -> tuple[M, int] | None:
    """The object and its generation, or None where there is none."""
    try:
        content, generation = objects.read(name)
    except NotFound:
        return None
    return kind.model_validate_json(content), generation


def create_once[M: BaseModel](objects: Objects, name: str, value: M, metadata: dict[str, str] | None = None) -> M:
    """Write `value` if nothing is there, and return what is there now: the first writer's word stands."""
    try:
        objects.create(name, value.model_dump_json(indent=1).encode(), metadata)
    except AlreadyExists:
        content, _ = objects.read(name)
        return type(value).model_validate_json(content)
    return value


def load_text(objects: Objects, name: str) -> tuple[bytes, int]:
    """Content and generation, ready for a compare-and-set: (b"", 0) where there is no object."""
    try:
        return objects.read(name)
    except NotFound:
        return b"", 0
