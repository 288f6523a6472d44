"""Malformed files, each small and each wrong in one way that occurs, with the verdict that the table `people` gives it.

Expected are the verdict's status, its first reason's code, and how many records are read in all.
"""

import bz2
import gzip
import io
import random
import zipfile
from datetime import date
from typing import Any, NamedTuple

import fastavro

PIPELINE = b"""
pipeline: people
purpose: Test.
table: people
tables:
  people:
    key: [id]
    time: born
    max_bad_share: 0.34
    columns:
      id: {type: integer, required: true}
      born: {type: date, required: true}
      name: {type: text}
      height: {type: number, unit: m, min: 0, max: 3}
label: {name: tall, column: height, above: 1.8}
features: [id]
success: {metric: roc_auc, floor: 0.5, slice_margin: 0.1}
training: {mode: static}
"""


class Malformed(NamedTuple):
    """A file and what must become of it."""

    content: bytes
    status: str
    code: str | None
    read: int


H = "id,born,name,height\n"
A, B, C = "1,2001-01-01,Ann,1.7\n", "2,2002-02-02,Ben,1.8\n", "3,2003-03-03,Cy,1.9\n"
GOOD = (H + A + B + C).encode()


def _zip(**files: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return file.getvalue()


def locked(archive: bytes) -> bytes:
    """The same zip, its only file marked as encrypted, in both places where that stands."""
    content = bytearray(archive)
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    return bytes(content)


def _avro(schema: Any, rows: list[Any]) -> bytes:
    file = io.BytesIO()
    fastavro.writer(file, schema, rows, codec="deflate")
    return file.getvalue()


PEOPLE = {
    "type": "record",
    "name": "person",
    "fields": [
        {"name": "id", "type": "long"},
        {"name": "born", "type": {"type": "int", "logicalType": "date"}},
        {"name": "name", "type": ["null", "string"]},
        {"name": "height", "type": "double"},
    ],
}
AVRO = _avro(PEOPLE, [{"id": n, "born": date(2000, 1, n), "name": None, "height": 1.7} for n in (1, 2, 3)])


def _text(content: str, status: str, code: str | None, read: int) -> Malformed:
    return Malformed(content.encode(), status, code, read)


FILES: dict[str, Malformed] = {
    "nothing but a line end": _text("\n", "quarantined", "empty", 0),
    "nothing but blanks": _text(" \t \r\n  \n", "quarantined", "empty", 0),
    "nothing but a byte order mark": Malformed(b"\xef\xbb\xbf", "quarantined", "empty", 0),
    "nothing but zero bytes": Malformed(b"\x00" * 4096, "quarantined", "empty", 0),
    "a header alone": _text(H, "quarantined", "no_rows", 0),
    "a header without line end": _text(H.strip(), "quarantined", "no_rows", 0),
    "a last line without end": Malformed(GOOD.rstrip(), "accepted", None, 3),
    "a last line cut short": _text(H + A + B + "3,2003", "accepted_in_part", "wrong_field_count", 3),
    "blank lines everywhere": _text(f"\n\n{H}\n\n{A}\n \n{B}\n", "accepted", None, 2),
    "commas alone": _text(H + A + B + ",,,\n", "accepted_in_part", "required", 3),
    "a comma too many in each line": _text(
        "".join(line + ",\n" for line in (H + A + B).split()), "quarantined", "unexpected_column", 2
    ),
    "a comma too many in one line": _text(
        H + A + B + "3,2003-03-03,C,y,1.9\n", "accepted_in_part", "wrong_field_count", 3
    ),
    "the header twice": _text(H + A + B + H, "accepted_in_part", "type", 3),
    "a column twice": _text(H.replace("name", "id") + A, "quarantined", "missing_column", 1),
    "an unnamed column": _text(H.replace("name", ""), "quarantined", "missing_column", 0),
    "columns in another order": _text("name,height,id,born\nAnn,1.7,1,2001-01-01\n", "accepted", None, 1),
    "columns in another case": _text(H.upper() + A, "quarantined", "missing_column", 1),
    "a quoted header": _text('"id","born","name","height"\n' + A, "accepted", None, 1),
    "another delimiter": _text((H + A).replace(",", "|"), "accepted", None, 1),
    "two delimiters": _text(H + A + B + C.replace(",", ";"), "accepted_in_part", "wrong_field_count", 3),
    "a decimal comma": _text((H + A).replace(",", ";").replace("1.7", "1,7"), "accepted", None, 1),
    "thousands marks": _text(H + A + B + '3,2003-03-03,Cy,"1,900.0"\n', "accepted_in_part", "type", 3),
    "a remark above the header": _text("# people of May, by hand\n" + H + A, "accepted", None, 1),
    "a total below the rows": _text(H + A + B + "Total: 2\n", "accepted_in_part", "wrong_field_count", 3),
    "old Mac line ends": Malformed(GOOD.replace(b"\n", b"\r"), "accepted", None, 3),
    "Windows line ends": Malformed(GOOD.replace(b"\n", b"\r\n"), "accepted", None, 3),
    "mixed line ends": _text(H.replace("\n", "\r\n") + A + B.replace("\n", "\r\n"), "accepted", None, 2),
    "a carriage return in a value": _text(
        H + A + B + "3,2003-03-03,C\ry,1.9\n", "accepted_in_part", "control_character", 3
    ),
    "an open quote": _text(H + A + '2,2002-02-02,"Ben,1.8\n' + C, "accepted_in_part", "unclosed_quote", 3),
    "an open quote at the end": _text(H + A + B + '3,2003-03-03,"Cy,1.9\n', "accepted_in_part", "unclosed_quote", 3),
    "text after a quote": _text(H + A + B + '3,2003-03-03,"Cy"x,1.9\n', "accepted_in_part", "stray_quote", 3),
    "nothing but quotes": _text('"' * 999, "quarantined", "missing_column", 0),
    "line ends in quotes": _text(H + '1,2001-01-01,"A\n\nnn",1.7\n' + B, "accepted", None, 2),
    "UTF-16": Malformed(GOOD.decode().encode("utf-16"), "accepted", None, 3),
    "UTF-16 without a mark": Malformed(GOOD.decode().encode("utf-16-be"), "accepted", None, 3),
    "half a UTF-16 character": Malformed(GOOD.decode().encode("utf-16")[:-1], "accepted", None, 3),
    "UTF-16 called UTF-8": Malformed(
        b"\xef\xbb\xbf" + GOOD.decode().encode("utf-16-le"), "quarantined", "not_a_table", 0
    ),
    "Latin-1": Malformed(GOOD.replace(b"Ann", b"Zo\xeb"), "accepted", None, 3),
    "mixed encodings": Malformed(
        (H + A.replace("Ann", "Zoë") + B.replace("Ben", "Noël")).encode() + b"3,2003-03-03,Zo\xeb,1.9\n",
        "accepted_in_part",
        "bad_encoding",
        3,
    ),
    "a zero byte": Malformed(GOOD.replace(b"Cy", b"C\x00"), "accepted_in_part", "control_character", 3),
    "an endless line": _text(H + A + B + "3," + "x" * 2_000_000 + "\n", "accepted_in_part", "too_long", 3),
    "an endless header": _text("x" * 2_000_000, "quarantined", "too_long", 0),
    "an endless field in bounds": _text(H + A.replace("Ann", "A" * 900_000), "accepted", None, 1),
    "no header": _text(A + B + C, "quarantined", "no_header", 3),
    "values that SQL would run": _text(
        H + "1,2001-01-01,'); DROP TABLE people; --,1.7\n" + '2,2002-02-02,"{}%s{{x}}",1.8\n', "accepted", None, 2
    ),
    "a header that SQL would run": _text(
        'id,born,name,height,"a""; DROP--\'\n1,2001-01-01,A,1.7,x\n', "quarantined", "unexpected_column", 1
    ),
    "numbers in disguise": _text(H + A + B + "0x3,2003-03-03,Cy,1.9\n", "accepted_in_part", "type", 3),
    "a number past 64 bits": _text(H + A + B + "9" * 40 + ",2003-03-03,Cy,1.9\n", "accepted_in_part", "type", 3),
    "not a number": _text(H + A + B + "3,2003-03-03,Cy,NaN\n", "accepted_in_part", "type", 3),
    "endless": _text(H + A + B + "3,2003-03-03,Cy,-Infinity\n", "accepted_in_part", "type", 3),
    "a day that is not": _text(H + A + B + "3,2003-02-29,Cy,1.9\n", "accepted_in_part", "type", 3),
    "a key twice": _text(H + A + B + A, "accepted_in_part", "duplicate_key", 3),
    "mostly wrong": _text(H + A + "x,,,\ny,,,\n", "quarantined", "too_many_bad_rows", 3),
    "a web page": _text("<!DOCTYPE html>\n<html><body>503, come later</body></html>", "quarantined", "not_a_table", 0),
    "an error message": _text('{"error": "token expired"}', "quarantined", "missing_column", 1),
    "prose": _text("Dear all,\n\nplease find the file attached,\n\nyours\n", "quarantined", "missing_column", 2),
    "random bytes": Malformed(random.Random(7).randbytes(5000), "quarantined", "not_a_table", 0),
    "a PNG image": Malformed(b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "quarantined", "not_a_table", 0),
    "half a gzip": Malformed(gzip.compress(GOOD)[:-9], "quarantined", "truncated", 0),
    "a gzip with a wrong sum": Malformed(gzip.compress(GOOD)[:-8] + b"\x00" * 8, "quarantined", "corrupt", 0),
    "a gzip with rubbish behind": Malformed(gzip.compress(GOOD) + b"rubbish", "quarantined", "corrupt", 0),
    "a gzip of a gzip": Malformed(gzip.compress(gzip.compress(GOOD)), "quarantined", "not_a_table", 0),
    "an empty gzip": Malformed(gzip.compress(b""), "quarantined", "empty", 0),
    "an empty zip": Malformed(_zip(), "quarantined", "no_file", 0),
    "a zip with a password": Malformed(locked(_zip(a=GOOD)), "quarantined", "encrypted", 0),
    "a zip of a zip": Malformed(_zip(a=_zip(a=GOOD)), "quarantined", "not_a_table", 0),
    "half a bz2": Malformed(bz2.compress(GOOD)[:-9], "quarantined", "truncated", 0),
    "half an Avro": Malformed(AVRO[:-9], "quarantined", "truncated", 0),
    "an Avro with a wrong mark": Malformed(AVRO[:-1] + bytes([AVRO[-1] ^ 1]), "quarantined", "corrupt", 0),
    "an Avro of single values": Malformed(_avro("long", [1, 2]), "quarantined", "not_a_table", 0),
    "an Avro of other columns": Malformed(
        _avro({"type": "record", "name": "r", "fields": [{"name": "n", "type": "long"}]}, [{"n": 1}]),
        "quarantined",
        "missing_column",
        1,
    ),
    "an Avro in order": Malformed(AVRO, "accepted", None, 3),
    "half an ORC": Malformed(b"ORC" + b"\x00" * 40, "quarantined", "corrupt", 0),
    "a zip of two": Malformed(_zip(a=GOOD, b=GOOD), "quarantined", "several_files", 0),
    "half a zip": Malformed(_zip(a=GOOD)[:60], "quarantined", "corrupt", 0),
    "half a Parquet": Malformed(b"PAR1\x15\x04\x15\x00", "quarantined", "corrupt", 0),
    "half a JSON line": _text(
        '{"id": 1, "born": "2001-01-01", "name": "A", "height": 1}\n{"id": 2, "bo',
        "quarantined",
        "too_many_bad_rows",
        2,
    ),
    "half a JSON array": _text('[{"id": 1, "born": "2001-01-01"}, {"id"', "quarantined", "corrupt", 0),
    "deep JSON": _text('{"id": ' + "[" * 5000 + "]" * 5000 + "}", "quarantined", "missing_column", 1),
    "a JSON list of lists": _text("[[1, 2], [3, 4]]", "quarantined", "missing_column", 0),
}
