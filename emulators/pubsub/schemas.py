"""Schemas with their revisions, and whether a message is one of theirs."""

from functools import lru_cache
from typing import Any

from google.pubsub_v1 import types

from emulators.pubsub import avro, avro_resolution, protobuf
from emulators.pubsub.errors import invalid, not_found
from emulators.pubsub.misfit import Misfit

Schema = types.Schema.pb()
Encoding = types.Encoding

DELETED_SCHEMA = "_deleted-schema_"
DEFINITION_BYTES = 300_000
REVISIONS = 20

_REVISION = "googclient_schemarevisionid"
_parsed_avro = lru_cache(maxsize=256)(avro.parse)
_parsed_protobuf = lru_cache(maxsize=256)(protobuf.parse)


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

    def check_messages(self, settings: Any, bodies: Any) -> None:
        """Hold messages to their topic's schema, and mark each with the revision that it is of.

        Raises:
            ServiceError: INVALID_ARGUMENT; one message outside the schema refuses the whole request.
        """
        revisions = self.between(settings)
        for body in bodies:
            revision = _first_that_fits(revisions, settings.encoding, body.data)
            body.attributes["googclient_schemaencoding"] = Encoding(settings.encoding).name
            body.attributes["googclient_schemaname"] = revision.name
            body.attributes[_REVISION] = revision.revision_id

    def datum(self, settings: Any, body: Any) -> dict[str, Any]:
        """A published message's values by field, by the revision that it was held to.

        Raises:
            Misfit: that revision is gone, or the schema describes no record.
        """
        for revision in self.between(settings):
            if revision.revision_id == body.attributes[_REVISION]:
                found = _values(revision, settings.encoding, body.data)
                if isinstance(found, dict):
                    return found
                raise Misfit(f"expected a record, found {type(found).__name__}")
        raise Misfit(f"expected the schema's revision {body.attributes[_REVISION]!r}, which is gone")

    def record_schema(self, settings: Any) -> Any:
        """The newest revision that a topic's messages may be of, as an Avro record.

        Raises:
            Misfit: there is none.
        """
        for revision in self.between(settings):
            parsed = parsed_of(revision)
            if isinstance(parsed, dict) and parsed["type"] == "record":
                return parsed
        raise Misfit(f"expected an Avro record, found none in {settings.schema}")


def parsed_of(schema: Any) -> Any:
    """A definition, read once.

    Raises:
        Misfit: it cannot be.
    """
    read_definition = _parsed_avro if schema.type_ == Schema.Type.AVRO else _parsed_protobuf
    return read_definition(schema.definition)


def check_definition(schema: Any) -> None:
    """Raises INVALID_ARGUMENT for a definition that cannot be. A Protocol Buffer's first takes a process."""
    if schema.type_ not in (Schema.Type.AVRO, Schema.Type.PROTOCOL_BUFFER):
        raise invalid("The schema's type must be AVRO or PROTOCOL_BUFFER; it is not given.")
    size = len(schema.definition.encode())
    if size > DEFINITION_BYTES:
        raise invalid(f"The schema's definition must have at most {DEFINITION_BYTES} bytes. Got {size}.")
    try:
        parsed_of(schema)
    except Misfit as error:
        raise invalid(f"Invalid schema definition: {error}.") from error


def check_next_revision(stored: Any, schema: Any) -> None:
    """Raises INVALID_ARGUMENT unless messages of either definition can be read by the other."""
    if schema.type_ != stored.type_:
        raise invalid(f"The type of a schema cannot change: expected {Schema.Type.Name(stored.type_)}.")
    compare = avro_resolution.incompatibility if schema.type_ == Schema.Type.AVRO else protobuf.incompatibility
    reason = compare(parsed_of(stored), parsed_of(schema))
    if reason:
        raise invalid(f"The revision is incompatible with {stored.revision_id}: {reason}.")


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
        Misfit: it is not of this schema.
    """
    kind = avro if schema.type_ == Schema.Type.AVRO else protobuf
    parsed = parsed_of(schema)
    return kind.read_json(parsed, data) if encoding == Encoding.JSON else kind.read_binary(parsed, data)


def _values(schema: Any, encoding: int, data: bytes) -> Any:
    found = read(schema, encoding, data)
    if schema.type_ == Schema.Type.PROTOCOL_BUFFER:
        return protobuf.as_values(found)
    return avro.with_logical_types(parsed_of(schema), found) if encoding == Encoding.JSON else found


def _first_that_fits(revisions: list[Any], encoding: int, data: bytes) -> Any:
    reason = "the topic's schema was deleted"
    for revision in revisions:
        try:
            read(revision, encoding, data)
        except Misfit as error:
            reason = str(error)
        else:
            return revision
    raise invalid(f"Invalid data in message: Message failed schema validation: {reason}.")
