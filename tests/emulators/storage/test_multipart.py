"""The multipart reader gives back the media, wherever the network cuts the body."""

import asyncio
from collections.abc import AsyncIterator
from itertools import pairwise

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from emulators.storage.errors import StorageError
from emulators.storage.multipart import Related, boundary_of

BOUNDARY = b"=====7=="
media_bytes = st.lists(st.sampled_from([b"--" + BOUNDARY, b"\r\n--=====", b"\r\n", b"\n", b"--", b"x"])).map(b"".join)


def read(body: bytes, cuts: list[int]) -> tuple[bytes, str, bytes]:
    """Metadata, media type and media of a body that arrives in pieces."""

    async def pieces() -> AsyncIterator[bytes]:
        places = sorted({cut % (len(body) + 1) for cut in cuts} | {0, len(body)})
        for start, end in pairwise(places):
            yield body[start:end]

    async def run() -> tuple[bytes, str, bytes]:
        related = Related(pieces(), BOUNDARY)
        await related.open()
        return related.metadata, related.media_type, b"".join([part async for part in related.media()])

    return asyncio.run(run())


@settings(deadline=None)  # a busy machine is no failure
@example(media=b"\r\n--=====----=====7==--=====7==\r\n\nx--=====7==\r\n\r\n\n", cuts=[310, 475], line=b"\r\n")
@given(media=media_bytes, cuts=st.lists(st.integers(0, 500), max_size=8), line=st.sampled_from([b"\r\n", b"\n"]))
def test_the_media_comes_back_whole(media: bytes, cuts: list[int], line: bytes) -> None:
    """Media may hold line breaks and what looks like the beginning of a boundary, but no boundary line."""
    assume(b"\n--" + BOUNDARY not in b"\n" + media)
    mark = b"--" + BOUNDARY
    head = [mark, b"content-type: application/json", b"", b'{"name": "x"}', mark, b"content-type: text/csv", b""]
    body = line.join([*head, media, mark + b"--"])
    metadata, media_type, found = read(body, cuts)
    assert (metadata.strip(), media_type, found) == (b'{"name": "x"}', "text/csv", media)


@pytest.mark.parametrize("body", [b"", b"no boundary", b"--=====7==\r\n\r\n{}\r\n--=====7==\r\n\r\nnever closed"])
def test_a_body_of_another_form_is_refused(body: bytes) -> None:
    """A truncated upload must not become an object."""
    with pytest.raises(StorageError):
        read(body, [])


def test_a_boundary_may_be_quoted_either_way() -> None:
    """Google's Python client quotes by ", apitools by '."""
    for header in ('multipart/related; boundary="a=b"', "multipart/related; boundary='a=b'", "x; Boundary=a=b; y=z"):
        assert boundary_of(header) == b"a=b"
