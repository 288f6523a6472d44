"""Protocol Buffer schemas: definitions as protoc reads them, messages in both encodings, revisions kept readable."""

from collections.abc import Iterator
from uuid import uuid4

import pytest
from google.api_core.exceptions import InvalidArgument
from google.cloud.pubsub_v1 import SchemaServiceClient
from google.pubsub_v1 import Encoding, Schema

from tests.emulators.pubsub.bench import PROJECT, Bench
from tests.emulators.pubsub.test_schemas import schema_client

PARENT = f"projects/{PROJECT}"
FLIGHT = """
syntax = "proto3";
package flights;
message Flight {
  enum Status { LANDED = 0; CANCELLED = 1; }
  message Leg { string origin = 1; }
  string carrier = 1;
  int64 delay = 2;
  Status status = 3;
  repeated Leg legs = 4;
}
"""
# By https://protobuf.dev/programming-guides/encoding/: field 1, bytes "UA"; field 2, varint 4.
GOOD = b"\x0a\x02UA\x10\x04"


@pytest.fixture
def client(bench: Bench) -> Iterator[SchemaServiceClient]:
    """The schema service of the shared emulator."""
    with schema_client(bench.host) as made:
        yield made


def described(definition: str) -> dict[str, object]:
    """A schema as requests hold it."""
    return {"type_": Schema.Type.PROTOCOL_BUFFER, "definition": definition}


def create(client: SchemaServiceClient, definition: str) -> Schema:
    """A new schema."""
    request = {"parent": PARENT, "schema": described(definition), "schema_id": f"s-{uuid4().hex}"}
    made: Schema = client.create_schema(request=request)
    return made


@pytest.mark.parametrize(
    ("encoding", "good", "wrong"),
    [
        (Encoding.BINARY, GOOD, [b"\x0a\x05UA", b"\xff\xff"]),
        (
            Encoding.JSON,
            b'{"carrier": "UA", "delay": "4", "status": "CANCELLED", "legs": [{"origin": "EWR"}]}',
            [b"{", b'{"carrier": 7}', b'{"tail": "N1"}', b'{"status": "LATE"}', b'{"legs": {}}'],
        ),
    ],
)
def test_a_topic_holds_messages_to_the_definition(
    bench: Bench, client: SchemaServiceClient, encoding: Encoding, good: bytes, wrong: list[bytes]
) -> None:
    """As with Avro: what fits arrives marked, what does not is refused, by validating too."""
    schema = create(client, FLIGHT)
    topic = bench.topic(schema_settings={"schema": schema.name, "encoding": encoding})
    name = bench.subscription(topic)
    bench.publish(topic, good)
    (received,) = bench.pull(name)
    assert received.message.attributes["googclient_schemarevisionid"] == schema.revision_id
    for message in wrong:
        with pytest.raises(InvalidArgument, match="failed schema validation"):
            bench.publish(topic, message)
        with pytest.raises(InvalidArgument, match="failed schema validation"):
            client.validate_message(
                request={"parent": PARENT, "name": schema.name, "message": message, "encoding": encoding}
            )


def test_a_required_field_must_be_there(client: SchemaServiceClient) -> None:
    """Of proto2, which the service takes too."""
    schema = described('syntax = "proto2"; message A { required string a = 1; }')
    request = {"parent": PARENT, "schema": schema, "encoding": Encoding.JSON}
    client.validate_message(request=request | {"message": b'{"a": "x"}'})
    with pytest.raises(InvalidArgument, match=r"required.*a"):
        client.validate_message(request=request | {"message": b"{}"})


@pytest.mark.parametrize(
    ("definition", "reason"),
    [
        ('syntax = "proto3"; message A {', "1:31"),  # line and column, as protoc says them
        ('syntax = "proto3"; message A { strin a = 1; }', "strin"),
        ('syntax = "proto3"; message A {} message B {}', "one top-level type.*A, B"),
        ('syntax = "proto3"; import "google/protobuf/timestamp.proto"; message A {}', "no imports"),
        ('syntax = "proto3";', "found none"),
    ],
)
def test_a_wrong_definition_is_refused(client: SchemaServiceClient, definition: str, reason: str) -> None:
    """With what protoc found, so that its author can put it right."""
    with pytest.raises(InvalidArgument, match=reason):
        client.validate_schema(request={"parent": PARENT, "schema": described(definition)})


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("string origin = 1;", "int32 origin = 1;", "type"),
        ("int64 delay = 2;", "int64 late = 2;", "name"),
        ("repeated Leg legs = 4;", "", "removed"),
    ],
)
def test_a_revision_may_only_add_and_remove_optional_fields(
    client: SchemaServiceClient, old: str, new: str, reason: str
) -> None:
    """https://cloud.google.com/pubsub/docs/commit-schema-revision."""
    first = create(client, FLIGHT)
    broken = Schema(name=first.name, **described(FLIGHT.replace(old, new)))
    with pytest.raises(InvalidArgument, match=f"incompatible.*{reason}"):
        client.commit_schema(request={"name": first.name, "schema": broken})
    later = Schema(name=first.name, **described(FLIGHT.replace("int64 delay = 2;", "string tail = 9;")))
    assert client.commit_schema(request={"name": first.name, "schema": later}).revision_id != first.revision_id
