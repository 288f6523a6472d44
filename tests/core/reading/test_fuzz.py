"""Whatever bytes come, reading ends, and every record is accounted for."""

import csv
import io
import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dropforge.core.reading import Limits
from dropforge.core.reading.records import Records
from dropforge.core.reading.tally import Tally
from tests.core.reading.reader import read_bytes
from tests.core.reading.test_formats import FORMATS

TINY = Limits(record=40, record_lines=4, chunk=16, reject_text=20, columns=20, content=5_000)
PIECES = [
    b",",
    b";",
    b'"',
    b'""',
    b"\n",
    b"\r\n",
    b"\r",
    b"\t",
    b"|",
    b"a",
    b"1",
    b" ",
    b"\x00",
    b"\xff",
    b"\xc3\xa9",
    b"{",
    b"[",
]
VALUE = st.text(st.characters(exclude_categories=("Cs", "Cc"), include_characters='\n",;'), max_size=8)
FEW = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)


@FEW
@given(st.lists(st.sampled_from(PIECES), max_size=80).map(b"".join))
def test_any_bytes_end_in_a_reading(content: bytes) -> None:
    """`read_bytes` checks that rows and rejects are numbered without a gap; limits here are tiny, so all are met."""
    read = read_bytes(b"id,name,amount\n" + content, limits=TINY)
    assert read.reading.encoding
    lines = [row["_line"] for row in [*read.rows, *read.rejects]]
    assert all(1 <= line <= 1 + content.count(b"\n") + content.count(b"\r") + 1 for line in lines)


@FEW
@given(st.binary(max_size=300))
def test_any_beginning_ends_in_a_reading(content: bytes) -> None:
    """Magic numbers, marks and headers are found from bytes that nobody has checked yet."""
    read = read_bytes(content, limits=TINY)
    assert read.problem or read.reading.columns


@pytest.mark.parametrize("form", FORMATS)
def test_any_damage_to_a_file_ends_in_a_reading(form: str) -> None:
    """Bytes changed, cut out or put in; `read_bytes` checks that what is read is numbered and counted."""
    chance = random.Random(11)
    for _ in range(60):
        damaged = bytearray(FORMATS[form])
        for _ in range(chance.randint(1, 4)):
            at = chance.randrange(4, len(damaged))
            damaged[at : at + chance.randint(0, 2)] = chance.randbytes(chance.randint(0, 3))
        read = read_bytes(bytes(damaged))
        assert read.problem is None or read.rows == [] or read.problem == "no_header"


@FEW
@given(
    rows=st.lists(
        st.tuples(VALUE, VALUE, VALUE).filter(lambda row: any(v.strip() for v in row)), min_size=1, max_size=8
    ),
    delimiter=st.sampled_from(",;\t|"),
    end=st.sampled_from(["\n", "\r\n"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32"]),
)
def test_what_was_written_as_csv_is_read_back(
    rows: list[tuple[str, str, str]], delimiter: str, end: str, encoding: str
) -> None:
    """By Python's own writer, in every delimiter, line end and encoding; lines are those that an editor counts."""
    file = io.StringIO()
    writer = csv.writer(file, delimiter=delimiter, lineterminator="\n")
    starts = []
    for row in [("id", "name", "amount"), *rows]:
        starts.append(1 + file.getvalue().count("\n"))
        writer.writerow(row)
    read = read_bytes(file.getvalue().replace("\n", end).encode(encoding))
    assert read.values == [tuple(value or None for value in row) for row in rows]
    assert read.lines == starts[1:]


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.lists(st.lists(st.sampled_from(['"', ",", "a", '""', "b", " "]), max_size=12).map("".join), max_size=20))
def test_records_are_canonical_csv_and_every_line_is_in_one(texts: list[str]) -> None:
    """What DuckDB is given needs no guessing: a strict reader sees the records, and the fields, that are counted."""
    tally = Tally(Limits(record=60, record_lines=4))
    records = Records(b",", 3, tally)
    out = records.block(1, [text.encode() for text in texts]) + records.end()
    read = list(csv.reader(io.StringIO(out.decode(), newline=""), strict=True))
    assert [len(row) for row in read] == [5] * tally.rows
    in_records = sum(1 + sum(value.count("\n") for value in row) for row in read)
    blank_outside = sum(not text.strip() for text in texts)
    assert in_records + tally.rejected <= len(texts) <= in_records + tally.rejected + blank_outside
