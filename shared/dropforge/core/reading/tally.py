"""The numbers of records, and the records that cannot be read, with what is known of them."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count, islice
from pathlib import Path
from typing import NamedTuple

from dropforge.core.engine import text
from dropforge.core.reading.limits import Limits


class Reject(NamedTuple):
    """A record that cannot be read: its number, its first line, its text as far as it is kept, and why."""

    row: int
    line: int
    text: str
    code: str
    sentence: str


@dataclass
class Tally:
    """Numbers every record of a file once, from 1, whether it can be read or not, and writes rejects down."""

    limits: Limits
    rows: int = 0
    rejected: int = 0
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))
    _rejects: list[Reject] = field(default_factory=list)

    def next_rows(self, how_many: int) -> Iterator[int]:
        """The numbers of so many records that could be read."""
        self.rows += how_many
        return islice(self._numbers, how_many)

    def reject(self, line: int, content: bytes, code: str, sentence: str) -> None:
        """Count a record that cannot be read, beginning on physical line `line`."""
        kept = content[: self.limits.reject_text].decode("utf-8", "replace").replace("\x00", "�")
        self.rejected += 1
        self._rejects.append(Reject(next(self._numbers), line, kept, code, sentence))

    def too_long(self, line: int, beginning: bytes, size: int) -> None:
        """Reject a line that exceeds the limit."""
        sentence = f"Line {line} has {size:,} bytes. Expected at most {self.limits.record:,}."
        self.reject(line, beginning, "too_long", sentence)

    def write_down(self, path: Path) -> None:
        """Append the rejects since the last time to `path`, JSON Lines."""
        if self._rejects:
            with path.open("a", encoding="utf-8") as file:
                file.writelines(json.dumps(reject._asdict()) + "\n" for reject in self._rejects)
            self._rejects.clear()


def rejects_in(path: Path, limits: Limits) -> str:
    """SQL: the rejects written down in `path`, as columns `_row`, `_line`, `_text`, `_code` and `_sentence`."""
    types = "{'row': 'BIGINT', 'line': 'BIGINT', 'text': 'VARCHAR', 'code': 'VARCHAR', 'sentence': 'VARCHAR'}"
    return (
        "SELECT row AS _row, line AS _line, text AS _text, code AS _code, sentence AS _sentence "
        f"FROM read_json({text(str(path))}, format = 'newline_delimited', columns = {types}, "
        f"maximum_object_size = {limits.reject_text * 8})"
    )


def encoding_fault(content: bytes, line: int) -> tuple[str, str] | None:
    """Code and sentence of what keeps a line or record from being text, or None."""
    try:
        content.decode()
    except UnicodeDecodeError as error:
        bad = content[error.start : error.start + 1].hex()
        return "bad_encoding", f"Line {line} has the byte 0x{bad}, which is not valid UTF-8."
    if b"\x00" in content:
        return "control_character", f"Line {line} has a zero byte."
    return None
