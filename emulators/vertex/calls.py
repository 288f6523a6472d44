"""One call of the API, as the topics see it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import cached_property

from starlette.responses import Response

from emulators.vertex.names import Target
from emulators.vertex.schema import Json, canonical_body, read_json


@dataclass
class Call:
    """A request, with its resource name already canonical."""

    target: Target
    query: dict[str, str]
    raw: bytes
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The resource, or for a collection its parent."""
        return self.target.name

    @cached_property
    def body(self) -> Json:
        """The JSON body as sent."""
        return read_json(self.raw)

    def message(self, message: type, body: Json | None = None) -> Json:
        """The body, or a part of it, in the canonical form of a message of the service."""
        given = self.body if body is None else body
        return canonical_body(message, given, lenient=self.target.version == "v1beta1")

    def option(self, name: str) -> str:
        """A query parameter, in camelCase or snake_case; empty if it was not given."""
        snake = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)
        return self.query.get(name) or self.query.get(snake) or ""


Handler = Callable[[Call], Awaitable[Json | Response]]
