"""Cloud Storage subscriptions: when a file is closed, what it is called, and what stands in it."""

import json
import random
import re
import threading
from io import BytesIO
from typing import Any
from uuid import uuid4

import fastavro
import pytest
from google.api_core.exceptions import GoogleAPICallError, InvalidArgument, NotFound, RetryError
from google.cloud import storage
from google.pubsub_v1 import Encoding, Schema

from tests.emulators.pubsub.bench import PATIENCE, Bench
from tests.emulators.pubsub.conftest import advance
from tests.emulators.pubsub.exports.conftest import Exports, eventually
from tests.emulators.pubsub.test_schemas import FLIGHT, GOOD, PARENT, schema_client
from tests.waiting import until


def files(bucket: storage.Bucket, count: int = 1) -> list[storage.Blob]:
    """The bucket's objects once there are `count`."""
    return eventually(lambda: list(bucket.list_blobs()), lambda found: len(found) >= count)


def records(blob: storage.Blob) -> list[Any]:
    """What stands in an Avro file."""
    return list(fastavro.reader(BytesIO(blob.download_as_bytes())))


def held(exports: Exports) -> int:
    """How many messages wait in a file that is not closed."""
    return int(exports.pubsub.control("GET", "/health").json()["leased"])


def test_a_file_is_closed_when_its_time_is_over(exports: Exports, bucket: storage.Bucket) -> None:
    """By the emulator's clock; until then nothing is in the bucket, and nothing is acknowledged."""
    topic, _ = exports.bench.pair(cloud_storage_config={"bucket": bucket.name, "max_duration": {"seconds": 120}})
    exports.bench.publish(topic, b"one", b"two")
    assert eventually(lambda: held(exports), lambda count: count == 2) == 2
    advance(exports.pubsub, 119)
    assert (held(exports), list(bucket.list_blobs())) == (2, [])
    advance(exports.pubsub, 2)
    (blob,) = files(bucket)
    assert sorted(blob.download_as_bytes().splitlines()) == [b"one", b"two"]
    assert eventually(lambda: exports.pubsub.control("GET", "/health").json()["unacknowledged"], lambda n: n == 0) == 0


@pytest.mark.parametrize(
    ("limit", "size", "least", "most"),
    [({"max_messages": 1000}, 1, 1000, 1000), ({"max_bytes": 100_000}, 1000, 90, 100)],
    ids=["messages", "bytes"],
)
def test_a_file_is_closed_when_it_is_full(
    exports: Exports, bucket: storage.Bucket, limit: dict[str, int], size: int, least: int, most: int
) -> None:
    """By messages and by bytes; what is left over, less than would fill one, waits in the next."""
    topic, _ = exports.bench.pair(cloud_storage_config={"bucket": bucket.name, **limit})
    exports.bench.publish(topic, *[b"x" * size] * 1100)
    until(lambda: held(exports) < most and held(exports) + sum(lines(bucket)) == 1100, PATIENCE)
    assert all(least <= count <= most for count in lines(bucket)), lines(bucket)


def lines(bucket: storage.Bucket) -> list[int]:
    """How many messages stand in each file."""
    return [len(blob.download_as_bytes().splitlines()) for blob in bucket.list_blobs()]


@pytest.mark.parametrize(
    ("datetime_format", "pattern"),
    [
        ("", r"in/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00_[0-9a-f]+\.txt"),
        ("YYYY/MM/DD/hh_mm_ssZ", r"in/\d{4}/\d\d/\d\d/\d\d_\d\d_\d\dZ_[0-9a-f]+\.txt"),
    ],
    ids=["by default", "as asked"],
)
def test_a_file_is_named_by_its_time(
    exports: Exports, bucket: storage.Bucket, datetime_format: str, pattern: str
) -> None:
    """Between the prefix and the suffix, with something that tells two of one second apart."""
    names = {"filename_prefix": "in/", "filename_suffix": ".txt", "filename_datetime_format": datetime_format}
    topic, _ = exports.bench.pair(cloud_storage_config={"bucket": bucket.name, **names})
    exports.bench.publish(topic, b"x")
    until(lambda: held(exports), PATIENCE)
    advance(exports.pubsub, 301)
    (blob,) = files(bucket)
    assert re.fullmatch(pattern, blob.name)


@pytest.mark.parametrize("write_metadata", [True, False])
def test_avro_files_hold_the_bytes_and_what_is_known_of_them(
    exports: Exports, bucket: storage.Bucket, write_metadata: bool
) -> None:
    """Readable by any Avro reader; the schema is in the file."""
    config = {"bucket": bucket.name, "avro_config": {"write_metadata": write_metadata}}
    topic, name = exports.bench.pair(cloud_storage_config=config)
    (message_id,) = exports.bench.publish(topic, b"\x00\n\xff", key="k", origin="EWR")
    until(lambda: held(exports), PATIENCE)
    advance(exports.pubsub, 301)
    (blob,) = files(bucket)
    (record,) = records(blob)
    assert record["data"] == b"\x00\n\xff"
    if write_metadata:
        assert (record["subscription_name"], record["message_id"]) == (name, message_id)
        assert record["attributes"] == {"origin": "EWR", "ordering_key": "k"}
        assert record["publish_time"].year >= 2020
    else:
        assert set(record) == {"data"}


@pytest.mark.parametrize("write_metadata", [True, False])
def test_avro_files_by_the_topics_schema(exports: Exports, bucket: storage.Bucket, write_metadata: bool) -> None:
    """Fields instead of bytes."""
    with schema_client(exports.bench.host) as client:
        schema = {"type_": Schema.Type.AVRO, "definition": json.dumps(FLIGHT)}
        name = client.create_schema(request={"parent": PARENT, "schema": schema, "schema_id": f"s-{uuid4().hex}"}).name
    topic = exports.bench.topic(schema_settings={"schema": name, "encoding": Encoding.JSON})
    avro = {"use_topic_schema": True, "write_metadata": write_metadata}
    exports.bench.subscription(topic, cloud_storage_config={"bucket": bucket.name, "avro_config": avro})
    exports.bench.publish(topic, json.dumps(GOOD).encode())
    until(lambda: held(exports), PATIENCE)
    advance(exports.pubsub, 301)
    (blob,) = files(bucket)
    (record,) = records(blob)
    assert {key: record[key] for key in GOOD} == {"carrier": "UA", "delay": 4, "status": "LANDED"}
    assert ("message_id" in record) is write_metadata


def test_a_bucket_that_is_gone_shows_in_the_state_and_fills_dead_letters(
    exports: Exports, bucket: storage.Bucket
) -> None:
    """What cannot be written counts as a failed delivery."""
    bench = exports.bench
    dead = bench.topic()
    letters = bench.subscription(dead)
    policy = {"dead_letter_topic": dead, "max_delivery_attempts": 5}
    config = {"bucket": bucket.name, "max_duration": {"seconds": 60}}
    topic, name = bench.pair(cloud_storage_config=config, dead_letter_policy=policy)
    bucket.delete()
    bench.publish(topic, b"owed")

    def a_minute_later() -> list[Any]:
        advance(exports.pubsub, 61)
        return bench.now(letters)

    (letter,) = eventually(a_minute_later)
    assert "bucket" in letter.message.attributes["CloudPubSubDeadLetterSourceDeliveryErrorMessage"]
    assert exports.state(name, "cloud_storage_config") == ("RESOURCE_ERROR", "NOT_FOUND")


PROTOBUF = 'syntax = "proto3"; message Flight { string carrier = 1; }'


@pytest.mark.parametrize(
    ("kind", "definition", "data", "deleted"),
    [
        (Schema.Type.AVRO, json.dumps(FLIGHT), json.dumps(GOOD), True),
        (Schema.Type.AVRO, '{"type": "string"}', '"UA"', False),
        (Schema.Type.PROTOCOL_BUFFER, PROTOBUF, '{"carrier": "UA"}', False),
    ],
    ids=["deleted", "no record", "no Avro"],
)
def test_messages_whose_schema_gives_no_record_are_dead_lettered(
    exports: Exports, bucket: storage.Bucket, kind: Schema.Type, definition: str, data: str, deleted: bool
) -> None:
    """The export tells why, and goes on with what comes after."""
    bench = exports.bench
    with schema_client(bench.host) as client:
        schema = {"type_": kind, "definition": definition}
        name = client.create_schema(request={"parent": PARENT, "schema": schema, "schema_id": f"s-{uuid4().hex}"}).name
        topic = bench.topic(schema_settings={"schema": name, "encoding": Encoding.JSON})
        dead = bench.topic()
        letters = bench.subscription(dead)
        policy = {"dead_letter_topic": dead, "max_delivery_attempts": 5}
        config = {"bucket": bucket.name, "avro_config": {"use_topic_schema": True}, "max_duration": {"seconds": 60}}
        subscription = bench.subscription(topic, cloud_storage_config=config, dead_letter_policy=policy)
        bench.publish(topic, data.encode())
        if deleted:
            client.delete_schema(name=name)

    def a_minute_later() -> list[Any]:
        advance(exports.pubsub, 61)
        return bench.now(letters)

    (letter,) = eventually(a_minute_later)
    assert "expected an Avro record" in letter.message.attributes["CloudPubSubDeadLetterSourceDeliveryErrorMessage"]
    assert exports.state(subscription, "cloud_storage_config") == ("RESOURCE_ERROR", "SCHEMA_MISMATCH")


def test_an_orderly_stop_is_no_failed_delivery(exports: Exports, bucket: storage.Bucket) -> None:
    """However often it is stopped, a message in an open file is not dead-lettered for that."""
    dead = exports.bench.topic()
    policy = {"dead_letter_topic": dead, "max_delivery_attempts": 5}
    config = {"bucket": bucket.name, "max_duration": {"seconds": 60}}
    topic, _ = exports.bench.pair(cloud_storage_config=config, dead_letter_policy=policy)
    exports.bench.publish(topic, b"patient")
    for _ in range(5):
        assert eventually(lambda: held(exports)) == 1
        exports.bench.close()
        exports.pubsub.process.terminate()
        exports.pubsub.process.wait(20)
        exports.start()
    assert eventually(lambda: held(exports)) == 1
    advance(exports.pubsub, 61)
    (blob,) = files(bucket)
    assert blob.download_as_bytes().splitlines() == [b"patient"]


def test_a_subscription_needs_its_bucket(shared: Exports) -> None:
    """A typing error is told to who makes it."""
    with pytest.raises(NotFound):
        shared.bench.pair(cloud_storage_config={"bucket": "never-made"})


@pytest.mark.parametrize(
    "config",
    [
        {"bucket": ""},
        {"bucket": "gs://b"},
        {"bucket": "b", "max_duration": {"seconds": 59}},
        {"bucket": "b", "max_bytes": 999},
        {"bucket": "b", "max_messages": 999},
        {"bucket": "b", "filename_datetime_format": "YYYY-MM-DD"},
    ],
)
def test_a_configuration_outside_the_limits_is_refused(bench: Bench, config: dict[str, Any]) -> None:
    """As the service does."""
    with pytest.raises(InvalidArgument):
        bench.pair(cloud_storage_config=config)


def published_until_killed(bench: Bench, topic: str, acknowledged: set[bytes], start: int) -> None:
    """Publish numbers, noting each whose publish returned, until the emulator is gone."""
    number = start
    try:
        while True:
            batch = [str(number + each).encode() for each in range(100)]
            futures = [bench.publisher.publish(topic, each, timeout=1, retry=None) for each in batch]
            for data, future in zip(batch, futures, strict=True):
                future.result(PATIENCE)
                acknowledged.add(data)
            number += 100
    except (GoogleAPICallError, RetryError):
        return


@pytest.mark.parametrize("kills", [4, pytest.param(50, marks=[pytest.mark.heavy, pytest.mark.timeout(1800)])])
def test_no_message_is_missing_in_the_files_after_kills_at_random(
    exports: Exports, bucket: storage.Bucket, kills: int
) -> None:
    """Whether a message waited in an open file or its file was being written when the emulator died."""
    moments = random.Random(20)
    topic, _ = exports.bench.pair(cloud_storage_config={"bucket": bucket.name, "max_messages": 1000})
    acknowledged: set[bytes] = set()
    for number in range(kills):
        killer = threading.Timer(moments.uniform(0.05, 0.4), exports.pubsub.kill)
        killer.start()
        published_until_killed(exports.bench, topic, acknowledged, number * 1_000_000)
        killer.join()
        exports.bench.close()
        exports.start()
    until(lambda: exports.pubsub.control("GET", "/health").json()["unacknowledged"] == held(exports), PATIENCE)
    advance(exports.pubsub, 301)
    until(lambda: exports.pubsub.control("GET", "/health").json()["unacknowledged"] == 0, PATIENCE)
    found = {line for blob in bucket.list_blobs() for line in blob.download_as_bytes().splitlines()}
    assert len(acknowledged) > kills
    assert acknowledged <= found
