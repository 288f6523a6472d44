"""BigQuery subscriptions: which message becomes which row, and what happens to one that cannot."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest
from google.api_core.exceptions import AlreadyExists, FailedPrecondition, InvalidArgument, NotFound
from google.cloud import bigquery
from google.pubsub_v1 import Encoding, Schema

from tests.emulators.launch import Emulator
from tests.emulators.pubsub.bench import PATIENCE, PROJECT, Bench
from tests.emulators.pubsub.exports.conftest import Exports, eventually
from tests.emulators.pubsub.test_schemas import PARENT, schema_client
from tests.waiting import until

Field = bigquery.SchemaField
FLIGHT = [Field("carrier", "STRING", mode="REQUIRED"), Field("delay", "INTEGER"), Field("at", "TIMESTAMP")]
METADATA = [
    Field("subscription_name", "STRING"),
    Field("message_id", "STRING"),
    Field("publish_time", "TIMESTAMP"),
    Field("attributes", "JSON"),
]


def made(tables: bigquery.Client, fields: list[Field]) -> str:
    """A new table's full name."""
    tables.create_dataset("exports", exists_ok=True)
    name = f"{PROJECT}.exports.t_{uuid4().hex}"
    tables.create_table(bigquery.Table(name, schema=fields))
    return name


def rows(tables: bigquery.Client, table: str, count: int = 1) -> list[dict[str, Any]]:
    """What is in the table once there are `count` rows."""
    found = eventually(lambda: list(tables.list_rows(table)), lambda found: len(found) >= count)
    return [dict(row.items()) for row in found]


@pytest.mark.parametrize(("kind", "value"), [("BYTES", b'{"a": 1}'), ("STRING", '{"a": 1}'), ("JSON", {"a": 1})])
def test_without_a_schema_the_data_is_one_column(
    exports: Exports, tables: bigquery.Client, kind: str, value: Any
) -> None:
    """Of whichever type the table has; what is written is acknowledged."""
    table = made(tables, [Field("data", kind)])
    topic, _ = exports.bench.pair(bigquery_config={"table": table})
    exports.bench.publish(topic, b'{"a": 1}')
    assert rows(tables, table) == [{"data": value}]
    until(lambda: exports.pubsub.control("GET", "/health").json()["unacknowledged"] == 0, PATIENCE)


def test_metadata_has_columns_of_its_own(shared: Exports, tables: bigquery.Client) -> None:
    """The ordering key is among the attributes."""
    table = made(tables, [Field("data", "STRING"), *METADATA])
    topic, name = shared.bench.pair(bigquery_config={"table": table, "write_metadata": True})
    (message_id,) = shared.bench.publish(topic, b"x", key="k", origin="EWR")
    (row,) = rows(tables, table)
    assert (row["subscription_name"], row["message_id"], row["data"]) == (name, message_id, "x")
    assert row["attributes"] == {"origin": "EWR", "ordering_key": "k"}
    assert row["publish_time"].year >= 2020


def test_the_tables_schema_names_the_keys_of_the_messages(shared: Exports, tables: bigquery.Client) -> None:
    """A number is a time in microseconds, as the service reads it; null is no value."""
    nested = Field("gate", "RECORD", fields=[Field("name", "STRING")])
    table = made(tables, [*FLIGHT, nested, Field("legs", "STRING", mode="REPEATED"), Field("more", "JSON")])
    topic, _ = shared.bench.pair(bigquery_config={"table": table, "use_table_schema": True})
    message = {"carrier": "UA", "delay": None, "at": 1_357_000_000_000_000, "gate": {"name": "A1"}, "legs": ["EWR"]}
    shared.bench.publish(topic, json.dumps(message | {"more": {"k": [1]}}).encode())
    (row,) = rows(tables, table)
    assert (row["carrier"], row["delay"], row["gate"], row["legs"]) == ("UA", None, {"name": "A1"}, ["EWR"])
    assert (row["at"].timestamp(), row["more"]) == (1_357_000_000, {"k": [1]})


AVRO = {
    "type": "record",
    "name": "Flight",
    "fields": [
        {"name": "carrier", "type": "string"},
        {"name": "delay", "type": ["null", "int"]},
        {"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
    ],
}
PROTOBUF = 'syntax = "proto3"; message Flight { string carrier = 1; int64 delay = 2; string at = 3; }'


@pytest.mark.parametrize(
    ("kind", "definition", "message"),
    [
        (Schema.Type.AVRO, json.dumps(AVRO), {"carrier": "UA", "delay": {"int": 4}, "at": 1_357_000_000_000}),
        (Schema.Type.PROTOCOL_BUFFER, PROTOBUF, {"carrier": "UA", "delay": "4", "at": "2013-01-01T00:26:40Z"}),
    ],
)
def test_the_topics_schema_names_the_columns(
    shared: Exports, tables: bigquery.Client, kind: Schema.Type, definition: str, message: dict[str, Any]
) -> None:
    """Of either kind; both messages are the same row."""
    with schema_client(shared.bench.host) as client:
        schema = {"type_": kind, "definition": definition}
        name = client.create_schema(request={"parent": PARENT, "schema": schema, "schema_id": f"s-{uuid4().hex}"}).name
    topic = shared.bench.topic(schema_settings={"schema": name, "encoding": Encoding.JSON})
    table = made(tables, FLIGHT)
    shared.bench.subscription(topic, bigquery_config={"table": table, "use_topic_schema": True})
    shared.bench.publish(topic, json.dumps(message).encode())
    (row,) = rows(tables, table)
    assert (row["carrier"], row["delay"], row["at"].timestamp()) == ("UA", 4, 1_357_000_000)


@pytest.mark.parametrize("drop", [True, False])
def test_unknown_fields_are_dropped_or_keep_the_message_out(
    shared: Exports, tables: bigquery.Client, drop: bool
) -> None:
    """Kept out, it stays in the backlog, the state says why, and its neighbours are written all the same."""
    table = made(tables, FLIGHT)
    config = {"table": table, "use_table_schema": True, "drop_unknown_fields": drop}
    topic, name = shared.bench.pair(bigquery_config=config)
    shared.bench.publish(topic, b'{"carrier": "UA", "tail": "N1"}')
    if not drop:
        wanted = ("RESOURCE_ERROR", "SCHEMA_MISMATCH")
        assert eventually(lambda: shared.state(name, "bigquery_config"), lambda at: at == wanted) == wanted
    shared.bench.publish(topic, b'{"carrier": "DL"}')
    expected = {"UA", "DL"} if drop else {"DL"}
    assert {row["carrier"] for row in rows(tables, table, len(expected))} == expected


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"no json", "JSON object"),
        (b"[1]", "found list"),
        (b'{"delay": 3}', "carrier"),
        (b'{"carrier": "U", "at": "x"}', "x"),
        (b'{"carrier": "U", "at": 9223372036854775807}', "out of range"),
        (b'{"carrier": "U", "delay": NaN}', "not JSON compliant"),
        (b'{"carrier": "U", "delay": 1e400}', "not JSON compliant"),
        (b'{"carrier": "\\ud800"}', "surrogates"),
        (b'{"carrier": ' + b"[" * 100_000, "recursion"),
    ],
)
def test_what_cannot_be_written_is_dead_lettered_with_the_reason(
    shared: Exports, tables: bigquery.Client, data: bytes, reason: str
) -> None:
    """After as many attempts as the policy says, without slowing the subscription down."""
    bench = shared.bench
    dead = bench.topic()
    letters = bench.subscription(dead)
    policy = {"dead_letter_topic": dead, "max_delivery_attempts": 5}
    table = made(tables, FLIGHT)
    topic, _ = bench.pair(bigquery_config={"table": table, "use_table_schema": True}, dead_letter_policy=policy)
    bench.publish(topic, data)
    (letter,) = bench.pull(letters)
    assert letter.message.attributes["CloudPubSubDeadLetterSourceDeliveryCount"] == "5"
    assert reason in letter.message.attributes["CloudPubSubDeadLetterSourceDeliveryErrorMessage"]


def test_a_table_that_goes_and_comes_back(shared: Exports, tables: bigquery.Client) -> None:
    """The state says so meanwhile; nothing is lost."""
    table = made(tables, [Field("data", "STRING")])
    topic, name = shared.bench.pair(bigquery_config={"table": table})
    tables.delete_table(table)
    shared.bench.publish(topic, b"patient")
    missing = ("RESOURCE_ERROR", "NOT_FOUND")
    assert eventually(lambda: shared.state(name, "bigquery_config"), lambda at: at == missing) == missing
    tables.create_table(bigquery.Table(table, schema=[Field("data", "STRING")]))
    assert rows(tables, table) == [{"data": "patient"}]
    active = ("ACTIVE", "ACTIVE")
    assert eventually(lambda: shared.state(name, "bigquery_config"), lambda at: at == active) == active


def test_a_subscription_needs_its_table(shared: Exports) -> None:
    """A typing error is told to who makes it, not months later by an empty table."""
    with pytest.raises(NotFound):
        shared.bench.pair(bigquery_config={"table": f"{PROJECT}.exports.never"})


def while_looked_at(bigquery_emulator: Emulator, slow: Callable[[], Any], act: Callable[[], Any]) -> Any:
    """What comes of `slow`, when `act` is done while BigQuery is asked for the table."""
    with ThreadPoolExecutor(1) as pool, bigquery_emulator.fault("bigquery.tables.get", "delay", delay_seconds=1):
        future = pool.submit(slow)
        eventually(lambda: bigquery_emulator.control("GET", "/faults").json()["faults"][0]["consumed"])
        act()
        return future.result(PATIENCE)


def test_a_name_is_given_once_and_to_a_topic_that_is_there(
    shared: Exports, tables: bigquery.Client, bigquery_emulator: Emulator
) -> None:
    """Also where others create and delete while the table is looked at, which may take a minute."""
    topic, name = shared.bench.topic(), f"projects/{PROJECT}/subscriptions/s-{uuid4().hex}"
    request = {"name": name, "topic": topic, "bigquery_config": {"table": made(tables, [Field("data", "STRING")])}}
    subscriber = shared.bench.subscriber

    def create() -> Any:
        return subscriber.create_subscription(request=request)

    with pytest.raises(AlreadyExists):
        while_looked_at(bigquery_emulator, create, lambda: subscriber.create_subscription(name=name, topic=topic))
    assert not subscriber.get_subscription(subscription=name).bigquery_config.table
    subscriber.delete_subscription(subscription=name)
    with pytest.raises(NotFound):
        while_looked_at(bigquery_emulator, create, lambda: shared.bench.publisher.delete_topic(topic=topic))


def test_two_changes_at_once_are_both_there(
    shared: Exports, tables: bigquery.Client, bigquery_emulator: Emulator
) -> None:
    """One that waits for its table undoes none that came meanwhile."""
    table = made(tables, [Field("data", "STRING")])
    _, name = shared.bench.pair()

    def change(**fields: Any) -> Any:
        request = {"subscription": {"name": name, **fields}, "update_mask": {"paths": list(fields)}}
        return shared.bench.subscriber.update_subscription(request=request)

    changed = while_looked_at(
        bigquery_emulator, lambda: change(bigquery_config={"table": table}), lambda: change(labels={"team": "a"})
    )
    assert (changed.bigquery_config.table, dict(changed.labels)) == (table, {"team": "a"})


@pytest.mark.parametrize(
    "config",
    [
        {"bigquery_config": {"table": "no-table"}},
        {"bigquery_config": {"table": "p.d.t", "use_topic_schema": True, "use_table_schema": True}},
        {"bigquery_config": {"table": "p.d.t", "drop_unknown_fields": True}},
        {"bigquery_config": {"table": "p.d.t"}, "push_config": {"push_endpoint": "http://127.0.0.1"}},
        {"bigquery_config": {"table": "p.d.t"}, "enable_exactly_once_delivery": True},
    ],
)
def test_a_configuration_that_means_nothing_is_refused(bench: Bench, config: dict[str, Any]) -> None:
    """As the service does."""
    with pytest.raises(InvalidArgument):
        bench.pair(**config)


@pytest.mark.parametrize(
    ("action", "copies"), [("crash_before", 1), ("crash_after", 2), ("lose_answer", 2), ("error", 1), ("delay", 1)]
)
def test_a_write_that_is_interrupted_is_made_again(
    exports: Exports, tables: bigquery.Client, action: str, copies: int
) -> None:
    """At least once: a row may be there twice, never not at all."""
    table = made(tables, [Field("data", "STRING")])
    topic, _ = exports.bench.pair(bigquery_config={"table": table})
    fault = {"id": action, "operation": "pubsub.export.bigquery", "action": action}
    exports.pubsub.control("POST", "/faults", fault).raise_for_status()
    exports.bench.publisher.publish(topic, b"x", retry=None, timeout=5).exception(PATIENCE)  # the crash may overtake it
    if action.startswith("crash"):
        assert exports.pubsub.process.wait(20) == -9
        exports.bench.close()
        exports.start()
    else:
        assert eventually(lambda: exports.pubsub.control("GET", f"/faults/{action}").json()["consumed"]) == 1
    assert rows(tables, table, copies) == [{"data": "x"}] * copies


def test_messages_are_not_pulled_from_under_an_export(shared: Exports, tables: bigquery.Client) -> None:
    """They would be missing in the table."""
    _, name = shared.bench.pair(bigquery_config={"table": made(tables, [Field("data", "STRING")])})
    with pytest.raises(FailedPrecondition, match="exports"):
        shared.bench.now(name)
