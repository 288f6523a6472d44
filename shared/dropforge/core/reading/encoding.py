"""From the bytes of a text file in any common encoding to UTF-8.

ASCII is all of UTF-8, Latin-1 and Windows-1252 at once, so the choice among them is put off until the first byte that
tells: a file whose first accent comes after a gigabyte is still read right.
"""

import codecs
from collections.abc import Iterable, Iterator

BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
SINGLE_BYTE = "windows-1252"


class Transcoder:
    """Yields UTF-8; `name` is the encoding found, `ascii` as long as nothing tells more.

    In UTF-8 input, bytes that are not valid are left in place, for the reader of lines to reject with their line.
    """

    def __init__(self, head: bytes) -> None:
        self.name, self._skip = _find(head)

    def utf8(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """The chunks in UTF-8, without a byte order mark."""
        wide = codecs.getincrementaldecoder(self.name)("replace") if self.name.startswith("utf-") else None
        for number, chunk in enumerate(chunks):
            content = chunk[self._skip :] if number == 0 else chunk
            if self.name == "ascii" and not content.isascii():
                self.name = "utf-8" if _is_utf8(content) else SINGLE_BYTE
            if self.name == SINGLE_BYTE:
                yield content.decode("cp1252", "replace").encode()
            elif wide is not None and self.name != "utf-8":
                yield wide.decode(content).encode("utf-8", "replace")
            else:
                yield content


def _find(head: bytes) -> tuple[str, int]:
    """The encoding that the first bytes tell, and the length of the byte order mark."""
    for mark, name in BOMS:
        if head.startswith(mark):
            return name, len(mark)
    even, odd = head[0:4096:2].count(0), head[1:4096:2].count(0)
    half = len(head[:4096]) // 2
    if odd > 0.4 * half and even < 0.1 * half:  # text mostly of Latin letters: every other byte is zero
        return "utf-16-le", 0
    if even > 0.4 * half and odd < 0.1 * half:
        return "utf-16-be", 0
    return "ascii", 0


def _is_utf8(chunk: bytes) -> bool:
    """Whether most lines of `chunk` that are not ASCII are valid UTF-8; the last may be cut in a character."""
    told = [line for line in chunk.split(b"\n") if not line.isascii()]
    return 2 * sum(_decodes(line, is_last=n == len(told) - 1) for n, line in enumerate(told)) > len(told)


def _decodes(line: bytes, is_last: bool) -> bool:
    try:
        codecs.getincrementaldecoder("utf-8")("strict").decode(line, final=not is_last)
    except UnicodeDecodeError:
        return False
    return True
