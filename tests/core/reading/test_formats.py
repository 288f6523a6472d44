"""What a file is, is found from its content."""

import bz2
import gzip
import io
import lzma
import zipfile
from collections.abc import Callable

import fastavro
import pyarrow as pa
import pyarrow.orc as orc
import pyarrow.parquet as pq
import pytest

from dropforge.core.reading import Limits
from tests.core.reading.reader import read_bytes
from tests.corpus.malformed import locked

CSV = b"id,name,amount\n1,one,1.5\n2,two,\n"
VALUES = [("1", "one", "1.5"), ("2", "two", None)]
TABLE = pa.table({"id": [1, 2], "name": ["one", "two"], "amount": [1.5, None]})


def zipped(content: bytes, *names: str) -> bytes:
    """A zip with the same content under each name."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(name, content)
    return file.getvalue()


def parquet(table: pa.Table = TABLE) -> bytes:
    """`table` as a Parquet file."""
    file = io.BytesIO()
    pq.write_table(table, file)
    return file.getvalue()


def as_orc() -> bytes:
    """`TABLE` as an ORC file."""
    file = io.BytesIO()
    orc.write_table(TABLE, file)
    return file.getvalue()


def as_avro() -> bytes:
    """`TABLE` as an Avro file."""
    file = io.BytesIO()
    kinds = {"id": "long", "name": "string", "amount": ["null", "double"]}
    fields = [{"name": name, "type": kind} for name, kind in kinds.items()]
    fastavro.writer(file, {"type": "record", "name": "row", "fields": fields}, TABLE.to_pylist(), codec="deflate")
    return file.getvalue()


FORMATS: dict[str, bytes] = {
    "csv": CSV,
    "tsv": CSV.replace(b",", b"\t"),
    "jsonl": b'{"id": 1, "name": "one", "amount": 1.5}\n\n{"name": "two", "id": "2", "amount": null}\n',
    "json": b'[\n {"id": 1, "name": "one", "amount": 1.5},\n {"id": 2, "name": "two"}\n]\n',
    "parquet": parquet(),
    "orc": as_orc(),
    "avro": as_avro(),
}
COMPRESSIONS: dict[str, Callable[[bytes], bytes]] = {
    "none": bytes,
    "gzip": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zip": lambda content: zipped(content, "a.csv"),
    "zstd": lambda content: pa.Codec("zstd").compress(content, asbytes=True),
}


@pytest.mark.parametrize("compression", COMPRESSIONS)
@pytest.mark.parametrize("form", FORMATS)
def test_every_format_in_every_compression_gives_the_same_rows(form: str, compression: str) -> None:
    """The name says nothing, and the people who drop files need not know what is read."""
    read = read_bytes(COMPRESSIONS[compression](FORMATS[form]))
    assert (read.reading.format, read.reading.compression, read.problem) == (form, compression, None)
    assert read.values == VALUES


@pytest.mark.parametrize("compression", [name for name in COMPRESSIONS if name != "none"])
@pytest.mark.parametrize("keep", [0.2, 0.6, 0.9])
def test_every_truncated_compression_is_a_problem_of_the_file(compression: str, keep: float) -> None:
    """Half a file must not train half a model: not one row of it is taken."""
    content = COMPRESSIONS[compression](b"id,name,amount\n" + b"".join(b"%d,x%d,1\n" % (n, n * n) for n in range(9999)))
    read = read_bytes(content[: int(len(content) * keep)])
    assert read.problem in ("truncated", "corrupt")
    assert read.rows == []


@pytest.mark.parametrize("form", ["parquet", "orc", "avro"])
def test_a_damaged_columnar_file_is_a_problem_of_the_file(form: str) -> None:
    """Parquet and ORC keep their schema at the end, so a part of one is nothing; of Avro, not half a block is taken."""
    read = read_bytes(FORMATS[form][:-20])
    assert read.problem == ("truncated" if form == "avro" else "corrupt")
    assert read.rows == []


def test_gzip_of_several_members_is_read_to_its_end() -> None:
    """Log shippers append gzip files to gzip files."""
    assert read_bytes(gzip.compress(CSV) + gzip.compress(b"3,three,3\n")).values[-1] == ("3", "three", "3")


def test_a_zip_of_several_files_is_refused_by_name() -> None:
    """Which of them was meant cannot be known; what a Mac adds does not count."""
    assert read_bytes(zipped(CSV, "a.csv", "b.csv")).problem == "several_files"
    assert read_bytes(zipped(CSV, "a.csv", "__MACOSX/._a.csv")).values == VALUES


def test_a_zip_of_no_file_is_refused() -> None:
    """An export that found nothing still makes a zip."""
    assert read_bytes(zipped(b"")).problem == "no_file"
    assert read_bytes(zipped(b"", "folder/")).problem == "no_file"


def test_an_encrypted_zip_is_refused_for_its_password() -> None:
    """Python makes none: the flag is what readers go by."""
    problem = read_bytes(locked(zipped(CSV, "a.csv"))).reading.problem
    assert problem is not None
    assert (problem.fields["code"], "password" in problem.message) == ("encrypted", True)


def test_a_zip_bomb_is_stopped() -> None:
    """What a directory entry says of its size is not asked; the bytes are counted as they come."""
    bomb = zipped(CSV + b"0,0,0\n" * 100_000, "a.csv")
    assert read_bytes(bomb, limits=Limits(ratio_from=100_000, ratio=50)).problem == "expands_too_much"


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (zipped(b"<x/>", "[Content_Types].xml", "xl/workbook.xml"), "an Excel workbook"),
        (b"%PDF-1.7\n", "a PDF document"),
        (b"  <!DOCTYPE HTML><html>Sign in</html>", "a web page"),
        (b"SQLite format 3\x00", "an SQLite database"),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF", "a JPEG image"),
    ],
)
def test_what_is_no_table_is_called_by_its_name(content: bytes, what: str) -> None:
    """'It is an Excel workbook' tells a person what to do; 'parse error' does not."""
    problem = read_bytes(content).reading.problem
    assert problem is not None
    assert what in problem.message


@pytest.mark.parametrize("first", [b"ORC", b"MZ", b"GIF8", b"BZh", b"PK", b"{id}", b"[id]"])
def test_a_header_that_begins_like_another_format_is_still_a_header(first: bytes) -> None:
    """A magic number of letters is a word, too."""
    read = read_bytes(first + b",name,amount\n1,one,2\n")
    assert (read.reading.columns[0], read.values) == (first.decode(), [("1", "one", "2")])


def test_columnar_types_become_the_text_that_the_rules_read() -> None:
    """What is typed already is held to the same rules as what is not."""
    table = pa.table(
        {
            "at": pa.array([0], pa.timestamp("ms", "UTC")),
            "day": pa.array([0], pa.date32()),
            "ok": [True],
            "big": [1e300],
            "list": [[1, 2]],
            "struct": [{"a": "b"}],
            "empty": [""],
        }
    )
    assert read_bytes(parquet(table), []).values == [
        ("1970-01-01 00:00:00+00", "1970-01-01", "true", "1e+300", "[1,2]", '{"a":"b"}', None)
    ]


def test_json_lines_that_are_no_objects_are_rejects_with_their_line() -> None:
    """One broken line among a million is one bad row."""
    read = read_bytes(
        b'{"id": 1, "a/b~": {"x": [1]}}\n{"id": \n[1]\n"text"\n{"id": "\xc3\xa9\xc3\xa9"}\n\xc3\xa9\n\xff\n'
    )
    assert read.reading.columns == ["id", "a/b~"]
    assert read.values == [("1", '{"x":[1]}'), ("éé", None)]
    assert read.lines == [1, 5]
    assert [(row["_line"], row["_code"]) for row in read.rejects] == [
        (2, "not_an_object"),
        (3, "not_an_object"),
        (4, "not_an_object"),
        (6, "not_an_object"),
        (7, "bad_encoding"),
    ]


def test_a_json_array_that_breaks_off_is_a_problem_of_the_file() -> None:
    """Like a truncated gzip: it is known to be incomplete."""
    assert read_bytes(b'[{"id": 1}, {"id": ').problem == "corrupt"
