"""`multipart/related` read as it arrives: a small JSON part, then the bytes, never held whole."""

import re
from collections.abc import AsyncIterator

from emulators.storage.errors import invalid

_HEAD_LIMIT = 4 * 1024 * 1024
_BOUNDARY = re.compile(r"""boundary=(?:"([^"]+)"|'([^']+)'|([^\s;]+))""", re.IGNORECASE)


def boundary_of(content_type: str) -> bytes:
    """The boundary that a multipart content type names.

    Raises:
        StorageError: 400, it names none.
    """
    match = _BOUNDARY.search(content_type)
    if match is None:
        raise invalid(f"A multipart upload needs a Content-Type with a boundary. Got {content_type!r}.")
    return next(group for group in match.groups() if group).encode()


class Related:
    """A two-part body: `metadata` is ready after `open`, `media` streams what follows."""

    def __init__(self, body: AsyncIterator[bytes], boundary: bytes) -> None:
        self._body = body
        self._mark = b"--" + boundary
        self.metadata = b""
        self.media_type = ""
        self._left = b""

    async def open(self) -> None:
        """Read the first part and the head of the second.

        Raises:
            StorageError: 400, the body does not have that form.
        """
        buffer = b""
        async for chunk in self._body:
            buffer += chunk
            if self._heads(buffer):
                return
            if len(buffer) > _HEAD_LIMIT:
                break
        raise invalid("A multipart upload must have a JSON part and a media part. The body does not.")

    def _heads(self, buffer: bytes) -> bool:
        """Whether `buffer` holds all that comes before the media; if so, take it in."""
        first = buffer.find(self._mark)
        json_start = _after_blank_line(buffer, first) if first >= 0 else -1
        second = buffer.find(b"\n" + self._mark, json_start - 1) if json_start >= 0 else -1
        media_start = _after_blank_line(buffer, second + 1) if second >= 0 else -1
        if media_start < 0:
            return False
        self.metadata = buffer[json_start:second]
        self.media_type = _header(buffer[second:media_start], "content-type")
        self._left = buffer[media_start:]
        return True

    async def media(self) -> AsyncIterator[bytes]:
        """The bytes of the second part.

        Raises:
            StorageError: 400, the closing boundary never came.
        """
        end = b"\n" + self._mark
        keep = len(end) + 1  # a boundary may lie across two chunks, with its line break before
        held = self._left
        begun = False
        ended = self._closing(held, end, begun)
        if ended is None:
            async for chunk in self._body:
                if len(held) > keep:
                    yield held[:-keep]
                    held = held[-keep:]
                    begun = True
                held += chunk
                ended = self._closing(held, end, begun)
                if ended is not None:
                    break
        if ended is None:
            raise invalid("A multipart upload must end with its closing boundary. The body ended without.")
        if ended:
            yield held[:ended]
        async for _ in self._body:  # the epilogue
            pass

    @staticmethod
    def _closing(held: bytes, end: bytes, begun: bool) -> int | None:
        """How many bytes of `held` are media, when the closing boundary is in it.

        Media of no bytes leaves the boundary's line break in the head, so before media has `begun` none is looked for.
        """
        if not begun and held.startswith(end[1:]):
            return 0
        place = held.find(end)
        if place < 0:
            return None
        return place - 1 if held[place - 1 : place] == b"\r" else place


def _after_blank_line(buffer: bytes, start: int) -> int:
    """Where the first empty line at or after `start` ends, -1 when there is none yet."""
    ends = [place + len(line) for line in (b"\n\r\n", b"\n\n") if (place := buffer.find(line, start)) >= 0]
    return min(ends, default=-1)


def _header(head: bytes, name: str) -> str:
    for line in head.decode("latin-1").splitlines():
        key, _, value = line.partition(":")
        if key.strip().lower() == name:
            return value.strip()
    return ""
