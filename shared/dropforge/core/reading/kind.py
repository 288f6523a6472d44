"""What a file is, found from its first bytes and never from its name."""

import re

from dropforge.contracts.errors import FileUnreadable

TABLES = {b"PAR1": "parquet", b"Obj\x01": "avro", b"ORC": "orc"}

BINARIES = {
    b"\x89PNG": "a PNG image",
    b"\xff\xd8\xff": "a JPEG image",
    b"GIF8": "a GIF image",
    b"\xd0\xcf\x11\xe0": "an old Excel or Word document",
    b"SQLite format 3": "an SQLite database",
    b"\x7fELF": "a program",
    b"MZ": "a Windows program",
    b"7z\xbc\xaf": "a 7-Zip archive",
    b"Rar!": "a RAR archive",
}
DOCUMENTS = {
    b"%pdf": "a PDF document",
    b"<!doctype html": "a web page",
    b"<html": "a web page",
    b"<?xml": "an XML document",
}

OFFICE = b"[Content_Types].xml"  # the first entry of the zip that an .xlsx or .docx is
SOME = 8  # control characters that a small file may have by mistake, to be told with their lines
CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")


def find(head: bytes) -> str:
    """`parquet`, `avro`, `orc`, `json` (an array), `jsonl` or `delimited`, from the first bytes of the content.

    Raises:
        FileUnreadable: `empty`, or `not_a_table` with what it is instead.
    """
    for magic, name in TABLES.items():
        if head.startswith(magic) and CONTROL.search(head):  # a CSV's first column may be called ORC
            return name
    for magic, name in BINARIES.items():
        if head.startswith(magic) and CONTROL.search(head):
            raise _not_a_table(name)
    for opening, name in DOCUMENTS.items():
        if head.lstrip().lower().startswith(opening):
            raise _not_a_table(name)
    if not head.strip(b" \t\r\n\x00\xef\xbb\xbf\xff\xfe"):
        raise FileUnreadable(
            "The file is empty: it has no header and no rows.", code="empty", expected="a header", observed="nothing"
        )
    opening = head.lstrip(b" \t\r\n\x00\xef\xbb\xbf\xff\xfe").replace(b"\x00", b"")
    if re.match(rb"\[\s*[{\]]", opening):
        return "json"
    return "jsonl" if re.match(rb'\{\s*["}]', opening) else "delimited"


def refuse_binary(text: bytes) -> None:
    """Refuse UTF-8 `text`, the beginning of a file, that is binary: one control character in a hundred, and some.

    Raises:
        FileUnreadable: `not_a_table`.
    """
    found = len(CONTROL.findall(text))
    if found > SOME and found * 100 > len(text):
        raise _not_a_table("binary data")


def refuse_office(head: bytes) -> None:
    """Refuse the zip that begins with `head` if it is a spreadsheet or a document.

    Raises:
        FileUnreadable: `not_a_table`.
    """
    if OFFICE in head[:200]:
        raise _not_a_table("an Excel workbook or another Office document")


def _not_a_table(what: str) -> FileUnreadable:
    return FileUnreadable(
        f"The file is {what}, whatever its name says. Expected a table: CSV, TSV, JSON Lines, Parquet, Avro or ORC,"
        " plain or compressed.",
        code="not_a_table",
        expected="a table",
        observed=what,
    )
