"""Schemas: what a topic refuses, how revisions follow each other, and that both outlive a kill."""

import json
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import fastavro
import grpc
import pytest
import requests
from google.api_core.exceptions import AlreadyExists, FailedPrecondition, InvalidArgument, NotFound
from google.cloud.pubsub_v1 import SchemaServiceClient
from google.pubsub_v1 import Encoding, Schema, SchemaView
from google.pubsub_v1.services.schema_service.transports import SchemaServiceGrpcTransport

from tests.emulators.launch import Emulator
from tests.emulators.pubsub.bench import PROJECT, Bench

PARENT = f"projects/{PROJECT}"
FLIGHT: dict[str, Any] = {
    "type": "record",
    "name": "Flight",
    "fields": [
        {"name": "carrier", "type": "string"},
        {"name": "delay", "type": ["null", "int"]},
        {"name": "status", "type": {"type": "enum", "name": "Status", "symbols": ["LANDED", "CANCELLED"]}},
    ],
}
GATES = {"name": "gates", "type": {"type": "array", "items": "string"}, "default": []}
LATER = FLIGHT | {"fields": [*FLIGHT["fields"], GATES]}
GOOD: dict[str, Any] = {"carrier": "UA", "delay": {"int": 4}, "status": "LANDED"}


def schema_client(host: str) -> SchemaServiceClient:
    """The official client; it knows no emulator variable."""
    return SchemaServiceClient(transport=SchemaServiceGrpcTransport(channel=grpc.insecure_channel(host)))


@pytest.fixture
def client(bench: Bench) -> Iterator[SchemaServiceClient]:
    """The schema service of the shared emulator."""
    with schema_client(bench.host) as made:
        yield made


def create(client: SchemaServiceClient, definition: Any) -> Schema:
    """A new schema."""
    schema = {"type_": Schema.Type.AVRO, "definition": json.dumps(definition)}
    request = {"parent": PARENT, "schema": schema, "schema_id": f"s-{uuid4().hex}"}
    made: Schema = client.create_schema(request=request)
    return made


def binary(definition: Any, datum: Any) -> bytes:
    """As a publisher with fastavro writes it."""
    stream = BytesIO()
    fastavro.schemaless_writer(stream, fastavro.parse_schema(definition), datum)
    return stream.getvalue()


def test_a_message_of_the_schema_arrives_marked_with_its_revision(bench: Bench, client: SchemaServiceClient) -> None:
    """A consumer reads from the attributes which revision it has to parse with."""
    schema = create(client, FLIGHT)
    topic = bench.topic(schema_settings={"schema": schema.name, "encoding": Encoding.BINARY})
    name = bench.subscription(topic)
    data = binary(FLIGHT, {"carrier": "UA", "delay": None, "status": "LANDED"})
    bench.publish(topic, data)
    (received,) = bench.pull(name)
    assert received.message.data == data
    assert dict(received.message.attributes) == {
        "googclient_schemaencoding": "BINARY",
        "googclient_schemaname": schema.name,
        "googclient_schemarevisionid": schema.revision_id,
    }


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (b"{", "JSON"),
        (GOOD | {"delay": 4}, "delay"),  # a union's value names its type
        (GOOD | {"delay": {"int": 2**31}}, "delay"),
        (GOOD | {"carrier": 7}, "carrier"),
        (GOOD | {"status": "LATE"}, "status"),
        (GOOD | {"tail": "N1"}, "tail"),
        ({"carrier": "UA"}, "delay"),
    ],
)
def test_a_message_outside_the_schema_is_refused(
    bench: Bench, client: SchemaServiceClient, message: Any, reason: str
) -> None:
    """Nothing of the request is published, and the error says where it differs; validating says the same."""
    schema = create(client, FLIGHT)
    topic = bench.topic(schema_settings={"schema": schema.name, "encoding": Encoding.JSON})
    data = message if isinstance(message, bytes) else json.dumps(message).encode()
    with pytest.raises(InvalidArgument, match=f"failed schema validation.*{reason}"):
        bench.publish(topic, data)
    request = {"parent": PARENT, "name": schema.name, "message": data, "encoding": Encoding.JSON}
    with pytest.raises(InvalidArgument, match=reason):
        client.validate_message(request=request)
    client.validate_message(request=request | {"message": json.dumps(GOOD).encode()})


@pytest.mark.parametrize("damage", [lambda data: data[:-1], lambda data: data + b"\0", lambda _: b"\xff" * 4])
def test_a_damaged_binary_message_is_refused(bench: Bench, client: SchemaServiceClient, damage: Any) -> None:
    """Cut short, with more behind it, or of no schema at all."""
    topic = bench.topic(schema_settings={"schema": create(client, FLIGHT).name, "encoding": Encoding.BINARY})
    data = binary(FLIGHT, {"carrier": "UA", "delay": 3, "status": "LANDED"})
    with pytest.raises(InvalidArgument, match="failed schema validation"):
        bench.publish(topic, damage(data))


def test_revisions_follow_each_other_and_go_back(client: SchemaServiceClient) -> None:
    """A rollback is a new revision with the old definition; the last one left cannot be deleted."""
    first = create(client, FLIGHT)
    later = Schema(name=first.name, type_=Schema.Type.AVRO, definition=json.dumps(LATER))
    second = client.commit_schema(request={"name": first.name, "schema": later})
    third = client.rollback_schema(request={"name": first.name, "revision_id": first.revision_id})
    assert client.get_schema(name=first.name).definition == third.definition == first.definition
    assert client.get_schema(name=f"{first.name}@{second.revision_id}").definition == later.definition
    listed = client.list_schema_revisions(request={"name": first.name, "page_size": 2})
    assert [each.revision_id for each in listed] == [third.revision_id, second.revision_id, first.revision_id]
    for gone in (second, third):
        client.delete_schema_revision(request={"name": f"{first.name}@{gone.revision_id}"})
    with pytest.raises(FailedPrecondition):
        client.delete_schema_revision(request={"name": f"{first.name}@{first.revision_id}"})


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        (
            [*FLIGHT["fields"], {"name": "gate", "type": "string"}],
            "gate",
        ),  # old messages have none
        ([{**FLIGHT["fields"][0], "type": "int"}, *FLIGHT["fields"][1:]], "carrier"),
        (FLIGHT["fields"][1:], "carrier"),
    ],
)
def test_a_revision_that_breaks_readers_is_refused(client: SchemaServiceClient, fields: Any, reason: str) -> None:
    """Whichever revision a subscriber has, it must be able to read messages of every other."""
    first = create(client, FLIGHT)
    broken = Schema(name=first.name, type_=Schema.Type.AVRO, definition=json.dumps(FLIGHT | {"fields": fields}))
    with pytest.raises(InvalidArgument, match=rf"incompatible.*{reason}"):
        client.commit_schema(request={"name": first.name, "schema": broken})


def test_a_topic_takes_any_revision_between_its_bounds(bench: Bench, client: SchemaServiceClient) -> None:
    """Publishers change over one by one; who is ahead of the topic is refused."""
    first = create(client, FLIGHT)
    later = Schema(name=first.name, type_=Schema.Type.AVRO, definition=json.dumps(LATER))
    client.commit_schema(request={"name": first.name, "schema": later})
    settings = {"schema": first.name, "encoding": Encoding.JSON}
    both = bench.topic(schema_settings=settings)
    for data in (GOOD, GOOD | {"gates": ["A1"]}):
        bench.publish(both, json.dumps(data).encode())
    old = bench.topic(schema_settings=settings | {"last_revision_id": first.revision_id})
    with pytest.raises(InvalidArgument):
        bench.publish(old, json.dumps(GOOD | {"gates": []}).encode())


def test_a_deleted_schema_stops_its_topics(bench: Bench, client: SchemaServiceClient) -> None:
    """As in the service, which then shows that the schema is gone."""
    schema = create(client, FLIGHT)
    topic = bench.topic(schema_settings={"schema": schema.name, "encoding": Encoding.JSON})
    client.delete_schema(name=schema.name)
    assert bench.publisher.get_topic(topic=topic).schema_settings.schema == "_deleted-schema_"
    with pytest.raises(InvalidArgument, match="deleted"):
        bench.publish(topic, json.dumps(GOOD).encode())
    with pytest.raises(NotFound):
        bench.topic(schema_settings={"schema": schema.name, "encoding": Encoding.JSON})


@pytest.mark.parametrize(
    "schema",
    [
        {"type_": Schema.Type.AVRO, "definition": "{"},
        {"type_": Schema.Type.AVRO, "definition": '{"type": "record", "name": "A"}'},
        {"type_": Schema.Type.AVRO, "definition": '"nonsense"'},
        {"definition": '"string"'},
    ],
)
def test_a_wrong_definition_is_refused(client: SchemaServiceClient, schema: dict[str, Any]) -> None:
    """By validating as by creating, so that no topic ever gets one."""
    with pytest.raises(InvalidArgument):
        client.validate_schema(request={"parent": PARENT, "schema": schema})
    with pytest.raises(InvalidArgument):
        client.create_schema(request={"parent": PARENT, "schema": schema, "schema_id": "never"})


def test_lists_leave_the_definition_out_unless_asked(client: SchemaServiceClient) -> None:
    """BASIC is the default of a list, FULL of a get; a name is given once."""
    schema = create(client, FLIGHT)
    shown = {each.name: each.definition for each in client.list_schemas(request={"parent": PARENT})}
    full = client.list_schemas(request={"parent": PARENT, "view": SchemaView.FULL})
    assert shown[schema.name] == ""
    assert {each.name: each.definition for each in full}[schema.name] == schema.definition
    with pytest.raises(AlreadyExists):
        client.create_schema(request={"parent": PARENT, "schema": schema, "schema_id": schema.name.rpartition("/")[2]})


def test_schemas_over_rest(emulator: Emulator) -> None:
    """As `gcloud pubsub schemas` asks; a create's body is the schema itself."""
    url = f"{emulator.control_url}/v1/{PARENT}/schemas"
    body = {"type": "AVRO", "definition": json.dumps(FLIGHT)}
    made = requests.post(url, params={"schemaId": f"s-{uuid4().hex}"}, json=body, timeout=30).json()
    found = requests.get(f"{emulator.control_url}/v1/{made['name']}@{made['revisionId']}", timeout=30).json()
    assert found == made
    assert found["type"] == "AVRO"


def test_schemas_outlive_a_kill(tmp_path: Path) -> None:
    """With their revisions in order, and the topics that hold to them."""
    with Emulator("pubsub", errors=tmp_path / "errors.txt", data=tmp_path / "data") as running:
        with schema_client(running.url) as client:
            first = create(client, FLIGHT)
            later = Schema(name=first.name, type_=Schema.Type.AVRO, definition=json.dumps(LATER))
            second = client.commit_schema(request={"name": first.name, "schema": later})
        running.kill()
    with (
        Emulator("pubsub", errors=tmp_path / "errors.txt", data=tmp_path / "data") as running,
        schema_client(running.url) as client,
    ):
        assert client.get_schema(name=first.name) == second
        assert len(list(client.list_schema_revisions(name=first.name))) == 2
