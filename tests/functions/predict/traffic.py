"""Callers that never stop: a closed loop of connections, in a process of its own, which checks every answer.

    python traffic.py PORT PATH QUESTIONS_FILE CONNECTIONS

The file has `instances`, and `says`: for each version what it answers to each of them. Stops when its standard input is
closed, and prints what came of it as one JSON line.
"""

import asyncio
import json
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any


class Traffic:
    """All connections, and what came of them."""

    def __init__(self, port: int, path: str, questions: dict[str, Any]) -> None:
        self._port = port
        self._says = questions["says"]
        head = f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: "
        bodies = [json.dumps({"instances": [instance]}) for instance in questions["instances"]]
        self._requests = [f"{head}{len(body)}\r\n\r\n{body}".encode() for body in bodies]
        self.stop = False
        self.versions: Counter[str] = Counter()
        self.failed: list[str] = []
        self.wrong: list[str] = []
        self.slowest = 0.0

    async def connection(self, number: int) -> None:
        """One caller. A connection that breaks is a failure, and is opened again."""
        asked = number
        while not self.stop:
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", self._port, limit=1 << 22)
                while not self.stop:
                    asked = (asked + 1) % len(self._requests)
                    await self._one(reader, writer, asked)
                writer.close()
            except (OSError, asyncio.IncompleteReadError) as error:
                self.failed.append(f"{type(error).__name__}: {error}")
                await asyncio.sleep(0.05)

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, asked: int) -> None:
        began = time.perf_counter()
        writer.write(self._requests[asked])
        head = await reader.readuntil(b"\r\n\r\n")
        _, _, rest = head.lower().partition(b"content-length: ")
        body = await reader.readexactly(int(rest.partition(b"\r\n")[0]))
        self.slowest = max(self.slowest, time.perf_counter() - began)
        if not head.startswith(b"HTTP/1.1 200"):
            self.failed.append(f"{head[:30]!r} {body[:300]!r}")
            return
        (found,) = json.loads(body)["predictions"]
        self.versions[found["version"]] += 1
        if found["probability"] != self._says[found["version"]][asked]:
            self.wrong.append(f"version {found['version']} to {asked}: {found['probability']}")


async def main(port: int, path: str, questions: Path, connections: int) -> dict[str, Any]:
    """Ask until standard input is closed."""
    traffic = Traffic(port, path, json.loads(questions.read_text()))
    callers = [asyncio.create_task(traffic.connection(number)) for number in range(connections)]
    await asyncio.to_thread(sys.stdin.read)
    traffic.stop = True
    await asyncio.gather(*callers)
    return {
        "answered": traffic.versions.total(),
        "versions": traffic.versions,
        "failed": len(traffic.failed),
        "wrong": len(traffic.wrong),
        "examples": (traffic.failed + traffic.wrong)[:5],
        "slowest_ms": round(traffic.slowest * 1000),
    }


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(int(sys.argv[1]), sys.argv[2], Path(sys.argv[3]), int(sys.argv[4])))))
