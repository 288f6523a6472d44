"""Delimited text: dialects, encodings, and every record under its physical line."""

import gzip

import pytest

from dropforge.core.reading import Limits
from tests.core.reading.reader import read_bytes

SMALL = Limits(record=200, record_lines=5, chunk=64, reject_text=50, columns=50, ratio_from=10_000, content=200_000)


@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
def test_the_delimiter_is_found(delimiter: str) -> None:
    """By the one that finds the pipeline's columns, whatever other marks the values hold."""
    text = 'id,name,amount\n1,"a,b;c|d\te",x\n'.replace(",", delimiter).replace(f"a{delimiter}b", "a,b")
    read = read_bytes(text.encode())
    assert (read.reading.dialect["delimiter"], read.values) == (delimiter, [("1", "a,b;c|d\te", "x")])


def test_the_delimiter_is_found_without_knowing_the_columns() -> None:
    """As when a first pipeline.yaml is drafted from a sample."""
    read = read_bytes(b"a;b\n1,5;x\n2,5;y\n", [])
    assert (read.reading.columns, read.values) == (["a", "b"], [("1,5", "x"), ("2,5", "y")])


def test_lines_above_the_header_are_passed_over() -> None:
    """Exports carry titles and dates; line numbers stay those of the file."""
    read = read_bytes(b"Report of May, 2013\n\nid,name,amount\n1,a,2\n")
    assert (read.values, read.lines, read.reading.dialect["lines_above_header"]) == ([("1", "a", "2")], [4], 2)


def test_a_file_without_header_keeps_its_rows_and_says_so() -> None:
    """Its first line is a row, not a name; guessing which column is which would be silent harm."""
    read = read_bytes(b"1,a,2.5\n2,b,3.5\n")
    assert (read.problem, read.reading.columns) == ("no_header", ["column_1", "column_2", "column_3"])
    assert read.values == [("1", "a", "2.5"), ("2", "b", "3.5")]


def test_column_names_are_cleaned_and_told_apart() -> None:
    """Twice the same name, an empty one, and ours: none may hide another."""
    read = read_bytes(b'"id", name ,ID,,_row\n1,2,3,4,5\n')
    assert read.reading.columns == ["id", "name", "ID__2", "column_4", "_row__2"]


@pytest.mark.parametrize(
    ("text", "decimal"), [("id;amount\n1;2,5\n", ","), ("id;amount\n1;2.5\n", "."), ("id,amount\n1,2\n", ".")]
)
def test_a_decimal_comma_is_found(text: str, decimal: str) -> None:
    """Values stay text; how to read them is recorded beside them."""
    assert read_bytes(text.encode()).reading.dialect["decimal"] == decimal


ENCODINGS = {
    "utf-8": "utf-8",
    "utf-8-sig": "utf-8",
    "utf-16": "utf-16-le",
    "utf-16-le": "utf-16-le",
    "utf-16-be": "utf-16-be",
    "utf-32": "utf-32-le",
    "cp1252": "windows-1252",
}


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_encodings_and_line_ends_make_no_difference(encoding: str, end: str) -> None:
    """Windows, Excel and old Macs are no anomalies. Chunks are so small here that characters fall across them."""
    lines = ["id,name,amount", *(f'{n},Zoë “{n}”,"3\n4"' for n in range(40))]
    read = read_bytes(end.join(lines).replace("\n", end).encode(encoding), limits=SMALL)
    assert read.reading.encoding == ENCODINGS[encoding]
    assert read.values == [(str(n), f"Zoë “{n}”", "3\n4") for n in range(40)]
    assert read.lines == [2 + 2 * n for n in range(40)]


def test_an_accent_late_in_the_file_still_decides_the_encoding() -> None:
    """ASCII tells nothing; the first byte that does may come after any sample."""
    content = b"id,name,amount\n" + b"1,plain,2\n" * 200 + "2,Zoë,3\n".encode("cp1252")
    read = read_bytes(content, limits=SMALL)
    assert (read.reading.encoding, read.values[-1]) == ("windows-1252", ("2", "Zoë", "3"))


def test_a_broken_byte_in_utf8_rejects_its_line_only() -> None:
    """One line of another encoding must not turn all the others into mojibake."""
    content = "id,name,amount\n1,Zoë,1\n2,Zoë,2\n".encode() + b"3,Zo\xeb,3\n4,Zoe,4\n"
    read = read_bytes(content)
    assert (read.reading.encoding, read.lines) == ("utf-8", [2, 3, 5])
    assert read.rejects[0]["_sentence"] == "Line 4 has the byte 0xeb, which is not valid UTF-8."


def test_physical_lines_are_exact_through_blanks_quotes_and_rejects() -> None:
    """The line that a reason names is the line that an editor shows."""
    read = read_bytes(b'id,name,amount\n\n1,"a\n\nb",2\nshort\n2,"c ""d"" e",3\n   \n3,f,4\n')
    assert list(zip(read.lines, read.values, strict=True)) == [
        (3, ("1", "a\n\nb", "2")),
        (7, ("2", 'c "d" e', "3")),
        (9, ("3", "f", "4")),
    ]
    assert [(row["_line"], row["_text"]) for row in read.rejects] == [(6, "short")]


REJECTS = {
    "too few fields": (b"1,a", "wrong_field_count", "Line 2 has 2 fields. Expected 3, as in the header."),
    "too many fields": (b"1,a,2,3", "wrong_field_count", "Line 2 has 4 fields. Expected 3, as in the header."),
    "text after a quote": (b'1,"a"b,2', "stray_quote", "Line 2 has text after a closing quote."),
    "a quote left open": (
        b'1,"a,2',
        "unclosed_quote",
        "A quote opens in line 2 and does not close where a field ends.",
    ),
    "a zero byte": (b"1,a\x00,2", "control_character", "Line 2 has a zero byte."),
    "a carriage return": (
        b"1,a\rb,2",
        "control_character",
        "Line 2 has a carriage return in the middle, outside quotes.",
    ),
    "an endless line": (b"1," + b"a" * 500 + b",2", "too_long", "Line 2 has 504 bytes. Expected at most 200."),
}


@pytest.mark.parametrize("how", REJECTS)
def test_a_record_that_cannot_be_read_spares_those_around_it(how: str) -> None:
    """And says what was expected, and what was found."""
    line, code, sentence = REJECTS[how]
    read = read_bytes(b"id,name,amount\n" + line + b"\n2,b,3\n3,c,4\n", limits=SMALL)
    assert [(row["_line"], row["_code"], row["_sentence"]) for row in read.rejects] == [(2, code, sentence)]
    assert read.rejects[0]["_text"] == line.decode().replace("\x00", "�")[:50]
    assert read.lines == [3, 4]


def test_quotes_inside_a_field_are_letters() -> None:
    """A 5\" pipe is five inches, not the beginning of a text."""
    assert read_bytes(b'id,name,amount\n1,5" pipe,2\n2,6" or 7",3\n').values[0] == ("1", '5" pipe', "2")


def test_an_open_quote_costs_one_line_and_not_the_rest_of_the_file() -> None:
    """Most readers swallow everything up to the next quote."""
    rows = b"".join(b"%d,x,1\n" % n for n in range(300))
    read = read_bytes(b'id,name,amount\n1,"open,2\n' + rows + b'2,"closed",3\n', limits=SMALL)
    assert [row["_line"] for row in read.rejects] == [2]
    assert len(read.rows) == 301


def test_a_file_that_ends_within_quotes_keeps_its_last_lines() -> None:
    """What follows the open quote may be good rows."""
    read = read_bytes(b'id,name,amount\n1,a,2\n2,"b,3\n3,c,4\n4,d,5')
    assert (read.lines, [row["_line"] for row in read.rejects]) == ([2, 4, 5], [3])


def test_one_column_needs_no_delimiter() -> None:
    """A list of keys is a table, too."""
    assert read_bytes(b"id\n1\n\n2\n").values == [("1",), ("2",)]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "empty"),
        (b" \n\r\n\t\n", "empty"),
        (b"\xef\xbb\xbf", "empty"),
        ("\ufeff\r\n".encode("utf-16"), "empty"),
        (b"x" * 500, "too_long"),
        (",".join(f"c{n}" for n in range(51)).encode() + b"\n", "too_many_columns"),
        (b"id,name,amount\n" + b"1,a,2\n" * 40_000, "too_large"),
    ],
)
def test_a_file_that_is_no_table_says_why(content: bytes, problem: str) -> None:
    """Every limit ends in a verdict, none in a process that is killed."""
    assert read_bytes(content, limits=SMALL).problem == problem


def test_a_gzip_bomb_stops_at_its_ratio() -> None:
    """42 kB may not become a terabyte."""

    problem = read_bytes(gzip.compress(b"id,name,amount\n" + b"1,1,1\n" * 30_000), limits=SMALL).reading.problem
    assert problem is not None
    assert "decompression bomb" in problem.message
