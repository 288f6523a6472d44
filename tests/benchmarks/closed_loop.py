"""A closed loop of HTTP/1.1 connections: each sends the next request when the last is answered.

    python closed_loop.py PORT PATH BODY_FILE CONNECTIONS SECONDS

Prints one JSON line. A process of its own, so that the generator and the server do not share an interpreter.
"""

import asyncio
import json
import sys
import time
from pathlib import Path

import uvloop


async def main(port: int, path: str, body: bytes, connections: int, seconds: float) -> dict[str, float]:
    """Requests a second, and the latency in milliseconds at the median and the 99th percentile."""
    head = f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
    request = f"{head}content-length: {len(body)}\r\n\r\n".encode() + body
    until = time.perf_counter() + seconds
    loops = [_one(port, request, until) for _ in range(connections)]
    taken = sorted(each for loop in await asyncio.gather(*loops) for each in loop)
    return {
        "rate": round(len(taken) / seconds, 1),
        "p50_ms": round(taken[len(taken) // 2] * 1000, 2),
        "p99_ms": round(taken[len(taken) * 99 // 100] * 1000, 2),
    }


async def _one(port: int, request: bytes, until: float) -> list[float]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 22)
    taken = []
    while (began := time.perf_counter()) < until:
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise ConnectionError(f"Expected 200. Found {head[:200]!r}.")
        await reader.readexactly(_length(head))
        taken.append(time.perf_counter() - began)
    writer.close()
    return taken


def _length(head: bytes) -> int:
    _, _, rest = head.lower().partition(b"content-length: ")
    return int(rest.partition(b"\r\n")[0])


if __name__ == "__main__":
    given = sys.argv[1:]
    found = uvloop.run(main(int(given[0]), given[1], Path(given[2]).read_bytes(), int(given[3]), float(given[4])))
    print(json.dumps(found))
