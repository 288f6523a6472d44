"""The lookup file: names of rows and keys with their probabilities, sorted, read in place by memory mapping.

Layout, little-endian, as every machine is that Cloud Run has:

    8 bytes   b"DFLOOK1\n"
    8 bytes   n, the number of entries
    8 n bytes the first halves of the names, as unsigned integers, ascending
    8 n bytes the second halves
    8 n bytes the probabilities, as IEEE 754 doubles

A look-up is a bisection in the first part, some twenty steps for a million entries, and reads nothing else of the file;
so a process holds only the pages that it was asked for.
"""

import mmap
import struct
from array import array
from bisect import bisect_left
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

from dropforge.contracts.errors import ArtefactTampered

MAGIC = b"DFLOOK1\n"
_HEAD = struct.Struct("<8sQ")
_NAME = struct.Struct("<QQ")


def dump(entries: Mapping[bytes, float]) -> tuple[bytes, str]:
    """The file's content and its SHA-256; equal entries give equal bytes."""
    ordered = sorted((*_NAME.unpack(name), probability) for name, probability in entries.items())
    parts = [array("Q", (each[0] for each in ordered)), array("Q", (each[1] for each in ordered))]
    values = array("d", (each[2] for each in ordered))
    content = _HEAD.pack(MAGIC, len(ordered)) + b"".join(part.tobytes() for part in parts) + values.tobytes()
    return content, sha256(content).hexdigest()


def checked(content: bytes, digest: str) -> bytes:
    """The content, if it is what `dump` gave with this digest. Raises ArtefactTampered."""
    found = sha256(content).hexdigest()
    if found != digest:
        raise ArtefactTampered(f"Expected a lookup file of SHA-256 {digest}. Found {found}.", expected=digest)
    magic, entries = _HEAD.unpack_from(content)
    if magic != MAGIC or len(content) != _HEAD.size + 24 * entries:
        raise ArtefactTampered(f"Expected a lookup file of the form {MAGIC!r}. Found {content[:8]!r}.")
    return content


class Lookup:
    """An open lookup file. What lies in `path` has been `checked`; it may be unlinked while this is open."""

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        _, self.entries = _HEAD.unpack_from(self._map)
        whole = memoryview(self._map)
        first, second, third, end = (_HEAD.size + 8 * self.entries * part for part in range(4))
        self._heads = whole[first:second].cast("Q")
        self._tails = whole[second:third].cast("Q")
        self._values = whole[third:end].cast("d")

    def get(self, name: bytes) -> float | None:
        """The probability under this name, if there is one."""
        head, tail = _NAME.unpack(name)
        at = bisect_left(self._heads, head)
        while at < self.entries and self._heads[at] == head:
            if self._tails[at] == tail:
                return self._values[at]
            at += 1
        return None
