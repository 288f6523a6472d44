"""Schemas with their revisions, and whether a message is one of theirs."""

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from google.pubsub_v1 import types

from emulators.pubsub import avro
from emulators.pubsub.errors import invalid, not_found, unimplemented

if TYPE_CHECKING:
    from emulators.pubsub.state import PubSub

Schema = types.Schema.pb()
Encoding = types.Encoding

DELETED_SCHEMA = "_deleted-schema_"
DEFINITION_BYTES = 300_000
REVISIONS = 20

_parsed = lru_cache(maxsize=256)(avro.parse)


class Schemas:
    """Every schema's revisions, oldest first, by the schema's full name."""

    def __init__(self) -> None:
        self.revisions: dict[str, list[Any]] = {}

    def find(self, name: str) -> Any:
        """The newest revision of `NAME`, or the one of `NAME@REVISION`, or NOT_FOUND."""
        bare, _, revision = name.partition("@")
        for found in reversed(self.revisions.get(bare, [])):
            if revision in ("", found.revision_id):
                return found
        raise not_found(name)

    def between(self, settings: Any) -> list[Any]:
        """The revisions that a topic's messages may be of, newest first."""
        revisions = self.revisions.get(settings.schema, [])
        ids = [revision.revision_id for revision in revisions]
        first = ids.index(settings.first_revision_id) if settings.first_revision_id in ids else 0
        last = ids.index(settings.last_revision_id) if settings.last_revision_id in ids else len(ids) - 1
        return revisions[first : last + 1][::-1]


def check_definition(schema: Any) -> None:
    """Raises INVALID_ARGUMENT for a definition that cannot be, UNIMPLEMENTED for Protocol Buffers."""
    if schema.type_ == Schema.Type.PROTOCOL_BUFFER:
        raise unimplemented("schemas of type PROTOCOL_BUFFER: reading their text needs protoc")
    if schema.type_ != Schema.Type.AVRO:
        raise invalid("The schema's type must be AVRO or PROTOCOL_BUFFER; it is not given.")
    size = len(schema.definition.encode())
    if size > DEFINITION_BYTES:
        raise invalid(f"The schema's definition must have at most {DEFINITION_BYTES} bytes. Got {size}.")
    try:
        _parsed(schema.definition)
    except avro.Refused as error:
        raise invalid(f"Invalid schema definition: {error}.") from error


def check_settings(schemas: Schemas, settings: Any) -> None:
    """Raises NOT_FOUND or INVALID_ARGUMENT for a topic's schema_settings that cannot be."""
    if settings.schema != DELETED_SCHEMA:
        schemas.find(settings.schema)
        for revision in (settings.first_revision_id, settings.last_revision_id):
            if revision:
                schemas.find(f"{settings.schema}@{revision}")
    if settings.encoding not in (Encoding.JSON, Encoding.BINARY):
        raise invalid("The schema_settings' encoding must be JSON or BINARY; it is not given.")


def read(schema: Any, encoding: int, data: bytes) -> Any:
    """The datum that a message carries.

    Raises:
        avro.Refused: it is not of this schema.
    """
    parsed = _parsed(schema.definition)
    return avro.read_json(parsed, data) if encoding == Encoding.JSON else avro.read_binary(parsed, data)


def check_messages(pubsub: "PubSub", settings: Any, bodies: Any) -> None:
    """Hold messages to their topic's schema, and mark each with the revision that it is of.

    Raises:
        ServiceError: INVALID_ARGUMENT; one message outside the schema refuses the whole request.
    """
    revisions = pubsub.schemas.between(settings)
    for body in bodies:
        revision = _first_that_fits(revisions, settings.encoding, body.data)
        body.attributes["googclient_schemaencoding"] = Encoding(settings.encoding).name
        body.attributes["googclient_schemaname"] = revision.name
        body.attributes["googclient_schemarevisionid"] = revision.revision_id


def _first_that_fits(revisions: list[Any], encoding: int, data: bytes) -> Any:
    reason = "the topic's schema was deleted"
    for revision in revisions:
        try:
            read(revision, encoding, data)
        except avro.Refused as error:
            reason = str(error)
        else:
            return revision
    raise invalid(f"Invalid data in message: Message failed schema validation: {reason}.")
