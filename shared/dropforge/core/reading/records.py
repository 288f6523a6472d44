"""From the lines of a delimited file to numbered records of the right number of fields, and rejects for all others.

Only lines that need a closer look are looked at one by one: those with quotes, blanks or too few or too many fields.
The others are numbered a megabyte at a time. What comes out is canonical CSV (RFC 4180, with the file's own delimiter),
each record led by its own number and by the number of the physical line that it starts on, so that nothing downstream
has to count.
"""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import count, repeat
from typing import NamedTuple

from dropforge.core.reading.limits import Limits
from dropforge.core.reading.tally import Tally, encoding_fault

csv.field_size_limit(Limits().record * 2)  # Python's own limit, 128 KiB, is below that of a record


class _Fault(NamedTuple):
    code: str
    sentence: str


@dataclass
class Records:
    """Reads blocks of lines into CSV of `columns` fields each; what cannot be read goes to the tally."""

    delimiter: bytes
    columns: int
    tally: Tally
    has_line_feeds: bool = False  # within a field, so that a line is not always a record
    _form: bytes = b""
    _open: list[bytes] = field(default_factory=list)  # lines of a record whose quotes are still open
    _open_at: int = 0
    _open_size: int = 0

    def __post_init__(self) -> None:
        self._form = self.delimiter.join((b"%d", b"%d", b"%b\n"))

    def block(self, first: int, lines: list[bytes]) -> bytes:
        """CSV of the records that end in `lines`, the first of which is physical line `first`."""
        if not self._open and self._is_plain(lines):
            numbered = zip(self.tally.next_rows(len(lines)), count(first), lines, strict=False)
            return b"".join(map(self._form.__mod__, numbered))
        return b"".join(self._each(first, lines))

    def end(self) -> bytes:
        """CSV of what is left when the file ends within quotes."""
        out = []
        while self._open:
            out.append(self._give_up())
        return b"".join(out)

    def _is_plain(self, lines: list[bytes]) -> bool:
        joined = b"\n".join(lines)
        return (
            b'"' not in joined
            and b"\r" not in joined
            and b"\x00" not in joined
            and set(map(bytes.count, lines, repeat(self.delimiter))) == {self.columns - 1}
            and (self.columns > 1 or all(map(bytes.strip, lines)))
            and _is_utf8(joined)
        )

    def _each(self, first: int, lines: Iterable[bytes]) -> Iterator[bytes]:
        for number, line in enumerate(lines, start=first):
            yield self._line(number, line)

    def _line(self, number: int, line: bytes) -> bytes:
        if self._open:
            self._open.append(line)
            self._open_size += len(line) + 1
            if not _stays_open(line, self.delimiter, inside=True):
                return self._closed()
            if len(self._open) >= self.tally.limits.record_lines or self._open_size > self.tally.limits.record:
                return self._give_up()
            return b""
        if not line.strip():
            return b""
        if b'"' in line and _stays_open(line, self.delimiter, inside=False):
            self._open, self._open_at, self._open_size = [line], number, len(line)
            return b""
        fields = self._fields(number, line)
        if isinstance(fields, _Fault):
            self.tally.reject(number, line, *fields)
            return b""
        return self._numbered(number, fields)

    def _closed(self) -> bytes:
        """A record of several lines; if it cannot be read, a stray quote opened it, and its lines stand alone."""
        fields = self._fields(self._open_at, b"\n".join(self._open))
        if isinstance(fields, _Fault):
            return self._give_up()
        self._open = []
        return self._numbered(self._open_at, fields)

    def _give_up(self) -> bytes:
        """Reject the line whose quote does not close well, and read on with the next."""
        line, *others = self._open
        at, self._open = self._open_at, []
        sentence = f"A quote opens in line {at} and does not close where a field ends."
        self.tally.reject(at, line, "unclosed_quote", sentence)
        return b"".join(self._each(at + 1, others))

    def _fields(self, line: int, record: bytes) -> "list[str] | _Fault":
        if fault := encoding_fault(record, line):
            return _Fault(*fault)
        text = record.decode()
        try:
            fields = next(csv.reader([text], delimiter=self.delimiter.decode(), strict=True))
        except csv.Error:
            if "\r" in text:
                return _Fault("control_character", f"Line {line} has a carriage return in the middle, outside quotes.")
            return _Fault("stray_quote", f"Line {line} has text after a closing quote.")
        if len(fields) != self.columns:
            found = f"Line {line} has {len(fields)} fields. Expected {self.columns}, as in the header."
            return _Fault("wrong_field_count", found)
        return fields

    def _numbered(self, line: int, fields: list[str]) -> bytes:
        quoted = [_quoted(field.encode(), self.delimiter) for field in fields]
        self.has_line_feeds = self.has_line_feeds or any("\n" in field for field in fields)
        (number,) = self.tally.next_rows(1)
        return self._form % (number, line, self.delimiter.join(quoted))


def _quoted(value: bytes, delimiter: bytes) -> bytes:
    if b'"' in value or delimiter in value or b"\n" in value or b"\r" in value:
        return b'"' + value.replace(b'"', b'""') + b'"'
    return value


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def _stays_open(line: bytes, delimiter: bytes, inside: bool) -> bool:
    """Whether a quoted field is still open at the end of `line`, which begins `inside` one or at a field's start."""
    at = 0
    if not inside and line[:1] == b'"':
        inside, at = True, 1
    while True:
        if inside:
            at = line.find(b'"', at)
            if at < 0:
                return True
            if line[at + 1 : at + 2] == b'"':
                at += 2
                continue
        at = line.find(delimiter, at)
        if at < 0:
            return False
        at += 1
        inside = line[at : at + 1] == b'"'
        at += inside
