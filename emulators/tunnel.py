"""Two connections made one: bytes go both ways, unread."""

import asyncio
import contextlib

_PIECE = 65_536

Pair = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def join(one: Pair, other: Pair) -> None:
    """Pass bytes both ways until either side ends."""
    ways = [asyncio.create_task(_pass(one[0], other[1])), asyncio.create_task(_pass(other[0], one[1]))]
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for way in ways:
            way.cancel()
        one[1].close()
        other[1].close()


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while piece := await reader.read(_PIECE):
            writer.write(piece)
            await writer.drain()
