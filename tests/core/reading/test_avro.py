"""Avro: every type as text, every codec, and a file that was made to do harm ends in a verdict."""

import io
import json
import zlib
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

import fastavro
import pyarrow as pa
import pytest

from tests.core.reading.reader import read_bytes

Kind = Any


def avro(kinds: dict[str, Kind], rows: list[dict[str, Any]], codec: str = "null") -> bytes:
    """Rows as an Avro file, written by fastavro."""
    file = io.BytesIO()
    fields = [{"name": name, "type": kind} for name, kind in kinds.items()]
    fastavro.writer(file, {"type": "record", "name": "row", "fields": fields}, rows, codec=codec)
    return file.getvalue()


def by_hand(schema: Any, block: bytes, count: int = 1, codec: str = "null") -> bytes:
    """An Avro file of one block, whatever stands in it."""
    head = {b"avro.schema": json.dumps(schema).encode(), b"avro.codec": codec.encode()}
    said = b"".join(long(len(part)) + part for pair in head.items() for part in pair)
    return b"Obj\x01" + long(len(head)) + said + b"\0" + b"s" * 16 + long(count) + long(len(block)) + block + b"s" * 16


def long(number: int) -> bytes:
    """A whole number as Avro writes it."""
    number, out = number << 1, bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


ROW = {"type": "record", "name": "row", "fields": [{"name": "n", "type": "long"}]}


def test_logical_types_become_the_text_that_the_rules_read() -> None:
    """A decimal keeps its zeros, a time says its zone; what a column is, pipeline.yaml decides."""
    kinds = {
        "at": {"type": "long", "logicalType": "timestamp-micros"},
        "day": {"type": "int", "logicalType": "date"},
        "clock": {"type": "int", "logicalType": "time-millis"},
        "price": {"type": "bytes", "logicalType": "decimal", "precision": 10, "scale": 2},
        "id": {"type": "string", "logicalType": "uuid"},
        "ok": "boolean",
        "list": {"type": "array", "items": "int"},
        "map": {"type": "map", "values": "string"},
        "raw": "bytes",
        "big": "double",
        "kind": {"type": "enum", "name": "kind", "symbols": ["a", "b"]},
        "maybe": ["null", "string"],
        "empty": "string",
    }
    row = {
        "at": datetime(2013, 1, 1, 10, tzinfo=UTC),
        "day": date(2013, 1, 31),
        "clock": time(14, 35),
        "price": Decimal("1200.50"),
        "id": UUID(int=7),
        "ok": True,
        "list": [1, 2],
        "map": {"a": "é"},
        "raw": b"\x00\xff",
        "big": 1e300,
        "kind": "b",
        "maybe": None,
        "empty": "",
    }
    (values,) = read_bytes(avro(kinds, [row]), []).values
    assert values[:4] == ("2013-01-01T10:00:00Z", "2013-01-31", "14:35:00", "1200.50")
    assert values[4:8] == ("00000000-0000-0000-0000-000000000007", "true", "[1,2]", '{"a":"é"}')
    assert values[8:] == ("00ff", "1e+300", "b", None, None)


@pytest.mark.parametrize("codec", ["null", "deflate", "bzip2", "xz"])
def test_every_codec_of_the_standard_library_is_read(codec: str) -> None:
    """Several blocks, too."""
    rows = [{"n": n} for n in range(20_000)]
    read = read_bytes(avro({"n": "long"}, rows, codec), [])
    assert read.values == [(str(n),) for n in range(20_000)]


@pytest.mark.parametrize("codec", ["zstandard", "snappy"])
def test_the_codecs_of_data_platforms_are_read(codec: str) -> None:
    """BigQuery exports snappy. A block made by Arrow's compressor, as the specification frames it."""
    content = b"".join(long(n) for n in range(1000))
    packed = pa.Codec({"zstandard": "zstd"}.get(codec, codec)).compress(content, asbytes=True)
    block = packed + zlib.crc32(content).to_bytes(4, "big") if codec == "snappy" else packed
    assert len(read_bytes(by_hand(ROW, block, 1000, codec), []).rows) == 1000


HARM: dict[str, tuple[bytes, str]] = {
    "a codec that nobody knows": (by_hand(ROW, b"\0", codec="rot13"), "codec_not_read"),
    "a type that holds itself": (
        by_hand({**ROW, "fields": [{"name": "next", "type": ["null", "row"]}]}, b"\2" * 1_000_000),
        "schema_not_read",
    ),
    "an array of nothing, counted for ever": (
        by_hand({**ROW, "fields": [{"name": "a", "type": {"type": "array", "items": "null"}}]}, long(1 << 60)),
        "schema_not_read",
    ),
    "rows of nothing, counted for ever": (
        by_hand({**ROW, "fields": [{"name": "a", "type": "null"}]}, b"", 1 << 60),
        "corrupt",
    ),
    "no rows, but single values": (by_hand("long", b"\2"), "not_a_table"),
    "a schema that is none": (by_hand({"type": "record"}, b""), "corrupt"),
    "a schema as deep as a well": (
        b"Obj\x01\x02\x16avro.schema" + long(200_000) + b"[" * 200_000 + b"\0" * 17,
        "corrupt",
    ),
    "more rows said than there": (by_hand(ROW, b"\2", 2), "truncated"),
    "fewer rows said than there": (by_hand(ROW, b"\2\2", 1), "corrupt"),
    "a header alone": (avro({"n": "long"}, [])[:40], "truncated"),
    "another mark between blocks": (by_hand(ROW, b"\2")[:-1] + b"x", "corrupt"),
    "a text of a size that cannot be": (
        by_hand({**ROW, "fields": [{"name": "a", "type": "string"}]}, long(1 << 40)),
        "truncated",
    ),
}


@pytest.mark.parametrize("what", HARM)
def test_a_file_that_was_made_to_do_harm_ends_in_a_verdict(what: str) -> None:
    """A schema comes with the file, so nobody has checked it."""
    content, code = HARM[what]
    assert read_bytes(content, []).problem == code


def test_a_block_that_becomes_more_than_a_block_may_be_is_not_unpacked() -> None:
    """65 MiB of nothing, packed into less than a tenth of one."""
    block = zlib.compress(b"\0" * (65 << 20))[2:-4]
    assert len(block) < 100_000
    assert read_bytes(by_hand(ROW, block, 1, "deflate"), []).problem == "expands_too_much"


def test_an_avro_file_without_rows_has_its_columns() -> None:
    """Nothing came, and that is said by the rule for it."""
    read = read_bytes(avro({"n": "long"}, []), [])
    assert (read.problem, read.reading.columns, read.rows) == (None, ["n"], [])
