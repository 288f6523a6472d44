"""Read Avro object container files: a block at a time, every value as text, whatever type its schema gives it.

The container is taken apart here and only records are given to fastavro, so that no block becomes larger than it may
and every codec of the specification is read. https://avro.apache.org/docs/1.12.0/specification/#object-container-files
"""

import bz2
import io
import json
import lzma
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from dropforge.contracts.errors import FileUnreadable
from dropforge.core import engine
from dropforge.core.reading.avro_schema import Schema, columns_of, header_schema
from dropforge.core.reading.avro_text import as_text
from dropforge.core.reading.dialect import unique
from dropforge.core.reading.limits import MIB, Limits

MAGIC = b"Obj\x01"
BLOCK = 64 * MIB  # bytes of a block, packed or not; writers make blocks of 16 KiB to a few MiB
HEADER = 4 * MIB
FLUSHED = 16 * MIB  # characters of text that wait to be written
BROKEN = (
    EOFError,
    ValueError,
    LookupError,
    TypeError,
    ArithmeticError,
    RecursionError,
    OSError,
    struct.error,
    zlib.error,
    lzma.LZMAError,
)


def read(content: Iterator[bytes], limits: Limits, folder: Path, rows_to: Path) -> tuple[list[str], int]:
    """Read the content of an Avro file into Parquet of text; returns the columns and the number of rows.

    Records have a number, but no line. Nested values become JSON, bytes hexadecimal digits, times ISO 8601.

    Raises:
        FileUnreadable: `corrupt`, `truncated`, `too_many_columns`, or `not_a_table` where a record is no record.
    """
    plain = folder / "content.avro"
    with plain.open("wb") as out:
        out.writelines(content)
    with plain.open("rb") as file:
        try:
            schema, codec, sync = _header(file)
            names = columns_of(schema, limits)
            records = _records(file, schema, codec, sync)
            return unique(names), _write(records, names, rows_to)
        except BROKEN as error:
            truncated = isinstance(error, EOFError)
            raise FileUnreadable(
                "The Avro file is damaged or cut short, and cannot be read. Drop the whole file again.",
                code="truncated" if truncated else "corrupt",
                expected="a whole Avro file",
                observed=str(error) or type(error).__name__,
            ) from error


def _write(records: Iterator[dict[str, Any]], names: list[str], rows_to: Path) -> int:
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = unique(names)
    kinds = [("_row", pa.int64()), ("_line", pa.int64()), *((column, pa.string()) for column in columns)]
    at_most = max(engine.VECTOR, min(engine.GROUP_ROWS, engine.GROUP_CELLS // max(len(columns), 1)))
    writer: Any = None
    waiting: list[tuple[str | None, ...]] = []
    rows, size = 0, 0

    def flush() -> None:
        nonlocal writer, rows, size
        writer = writer or pq.ParquetWriter(rows_to, pa.schema(kinds))
        numbers = list(range(rows + 1, rows + len(waiting) + 1))
        values = [pa.array(column, pa.string()) for column in zip(*waiting, strict=True)]
        lines = pa.nulls(len(waiting), pa.int64())
        writer.write_batch(pa.record_batch([pa.array(numbers), lines, *values], schema=pa.schema(kinds)))
        rows, size = rows + len(waiting), 0
        waiting.clear()

    try:
        for record in records:
            row = tuple(as_text(record[name]) for name in names)
            size += sum(map(len, filter(None, row)))
            waiting.append(row)
            if len(waiting) >= at_most or size >= FLUSHED:
                flush()
        if waiting:
            flush()
    finally:
        if writer is not None:
            writer.close()
    return rows


def _header(file: IO[bytes]) -> tuple[Schema, str, bytes]:
    """The schema, the codec and the mark between blocks."""
    if file.read(4) != MAGIC:
        raise ValueError("no Avro header")
    said: dict[str, bytes] = {}
    while count := _long(file):
        if count < 0:
            _long(file)  # the size of these entries in bytes, for those who pass over them
        for _ in range(min(abs(count), HEADER)):
            name = _bytes(file, HEADER).decode()
            said[name] = _bytes(file, HEADER)
    schema = header_schema(json.loads(said["avro.schema"]))
    return schema, said.get("avro.codec", b"null").decode(), _exactly(file, 16)


def _records(file: io.BufferedReader, schema: Schema, codec: str, sync: bytes) -> Iterator[dict[str, Any]]:
    from fastavro import schemaless_reader

    while file.peek(1):
        count = _long(file)
        block = io.BytesIO(_unpacked(_bytes(file, BLOCK), codec))
        if _exactly(file, 16) != sync:
            raise ValueError("the mark between two blocks is not the header's")
        for _ in range(count):
            before = block.tell()
            record = schemaless_reader(block, schema.parsed, None)
            assert isinstance(record, dict)  # `columns_of` has seen to it
            yield record
            if block.tell() == before:
                raise ValueError(f"a block of {count} records holds fewer")
        if block.read(1):
            raise ValueError(f"a block of {count} records holds more")


def _unpacked(block: bytes, codec: str) -> bytes:
    if codec == "null":
        return block
    if codec == "deflate":
        return _within(zlib.decompressobj(-15).decompress(block, BLOCK + 1))
    if codec == "bzip2":
        return _within(bz2.BZ2Decompressor().decompress(block, BLOCK + 1))
    if codec == "xz":
        return _within(lzma.LZMADecompressor().decompress(block, BLOCK + 1))
    import pyarrow as pa

    if codec == "zstandard":
        return _within(pa.CompressedInputStream(pa.BufferReader(block), "zstd").read(BLOCK + 1))
    if codec == "snappy":  # and a checksum of four bytes behind it, as the specification has it
        packed = io.BytesIO(block[:-4])
        size = _unsigned(packed)
        return _within(pa.Codec("snappy").decompress(block[:-4], min(size, BLOCK + 1), asbytes=True))
    raise FileUnreadable(
        f"The Avro file is packed by the codec {codec[:40]!r}. Expected null, deflate, snappy, bzip2, xz or zstandard.",
        code="codec_not_read",
        expected=["null", "deflate", "snappy", "bzip2", "xz", "zstandard"],
        observed=codec[:40],
    )


def _within(block: bytes) -> bytes:
    if len(block) > BLOCK:
        raise FileUnreadable(
            f"A block of the Avro file becomes more than {BLOCK >> 20} MiB, as a decompression bomb would.",
            code="expands_too_much",
            expected=BLOCK,
            observed=len(block),
        )
    return block


def _long(file: IO[bytes]) -> int:
    """A whole number as Avro writes it: zig-zag, seven bits a byte."""
    number = _unsigned(file)
    return (number >> 1) ^ -(number & 1)


def _unsigned(file: IO[bytes]) -> int:
    number = 0
    for shift in range(0, 70, 7):
        (byte,) = _exactly(file, 1)
        number |= (byte & 0x7F) << shift
        if not byte & 0x80:
            return number
    raise ValueError("a number has more than ten bytes")


def _bytes(file: IO[bytes], most: int) -> bytes:
    size = _long(file)
    if not 0 <= size <= most:
        raise ValueError(f"a part of {size} bytes where at most {most} may stand")
    return _exactly(file, size)


def _exactly(file: IO[bytes], size: int) -> bytes:
    found = file.read(size)
    if len(found) < size:
        raise EOFError(f"the file ends {size - len(found)} bytes early")
    return found
