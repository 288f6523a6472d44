"""The bytes of objects: one file each, written aside, renamed into place before any metadata speaks of it."""

import asyncio
import hashlib
import os
from base64 import b64encode
from collections.abc import AsyncIterator, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

import google_crc32c

BLOCK = 4 * 1024 * 1024  # written and digested at once: long enough that handing it to a thread costs nothing
READ_BLOCK = 1024 * 1024
SMALL = 256 * 1024
QUANTUM = 256 * 1024  # what an interrupted resumable upload keeps is a multiple of this, as in the service


@dataclass(frozen=True)
class Blob:
    """A stored file: its id, its size in bytes, and its digests in the base64 of the JSON API."""

    id: str
    size: int
    crc32c: str
    md5: str


class BlobFolder:
    """The folder of all blobs. What lies in `incoming` is not whole yet."""

    def __init__(self, root: Path) -> None:
        self._blobs = root / "blobs"
        self._incoming = root / "incoming"
        self._blobs.mkdir(parents=True, exist_ok=True)
        self._incoming.mkdir(exist_ok=True)
        self._threads = ThreadPoolExecutor(8, thread_name_prefix="blob")

    def path(self, blob_id: str) -> Path:
        """Where a blob lies once it is whole."""
        return self._blobs / blob_id[:2] / blob_id

    def writer(self, *, blob_id: str | None = None) -> "BlobWriter":
        """A writer of a new blob; with `blob_id`, the one left by a writer of that id in an earlier process."""
        blob_id = blob_id or uuid4().hex
        return BlobWriter(blob_id, self._incoming / blob_id, self.path(blob_id), self._threads)

    def read_small(self, blob_id: str, start: int, end: int) -> bytes:
        """Bytes `start` to before `end`, when they are few: not worth a thread."""
        with self.path(blob_id).open("rb", buffering=0) as file:
            return os.pread(file.fileno(), end - start, start)

    def read(self, blob_id: str, start: int, end: int) -> AsyncIterator[bytes]:
        """Bytes `start` to before `end`. The file is open on return, so a later removal does not matter."""
        return self._stream(self.path(blob_id).open("rb", buffering=0), start, end)

    async def _stream(self, file: FileIO, start: int, end: int) -> AsyncIterator[bytes]:
        with file:
            loop = asyncio.get_running_loop()
            ahead = loop.run_in_executor(self._threads, os.pread, file.fileno(), min(READ_BLOCK, end - start), start)
            while start < end:
                block = await ahead
                if not block:
                    raise OSError(f"A blob ended at byte {start}, expected {end}.")
                start += len(block)
                if start < end:  # read the next block while this one is sent
                    ahead = loop.run_in_executor(
                        self._threads, os.pread, file.fileno(), min(READ_BLOCK, end - start), start
                    )
                yield block

    async def remove(self, blob_ids: Iterable[str]) -> None:
        """Delete blobs that nothing refers to any more, off the event loop: large files take their time."""
        paths = [self.path(blob_id) for blob_id in blob_ids]
        await asyncio.get_running_loop().run_in_executor(self._threads, _unlink, paths)

    def sweep(self, blobs: set[str], incoming: set[str]) -> int:
        """Delete every file that a process left behind without metadata; return how many."""
        orphans = [path for path in self._blobs.glob("*/*") if path.name not in blobs]
        orphans += [path for path in self._incoming.iterdir() if path.name not in incoming]
        _unlink(orphans)
        return len(orphans)


class BlobWriter:
    """Takes bytes as they come, and digests and writes them in a thread, at most two blocks in memory."""

    def __init__(self, blob_id: str, aside: Path, place: Path, threads: ThreadPoolExecutor) -> None:
        self.id = blob_id
        self.size = 0  # bytes in the file; a thread may be adding to it
        self.received = 0  # bytes taken, those still in memory included
        self._aside = aside
        self._place = place
        self._threads = threads
        self._crc32c = 0
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._waiting: list[bytes] = []
        self._waiting_size = 0
        self._under_way: asyncio.Future[None] | None = None
        self._descriptor = os.open(aside, os.O_RDWR | os.O_CREAT, 0o644)

    async def resume(self) -> None:
        """Take up what an earlier process had written: digest it again, and go on at its end."""
        whole = os.fstat(self._descriptor).st_size // QUANTUM * QUANTUM
        os.ftruncate(self._descriptor, whole)
        await asyncio.get_running_loop().run_in_executor(self._threads, self._digest_again, whole)
        self.received = self.size

    async def write(self, data: bytes) -> None:
        """Append `data`."""
        self._waiting.append(data)
        self._waiting_size += len(data)
        self.received += len(data)
        if self._waiting_size >= BLOCK:
            await self._hand_over(self._waiting_size // QUANTUM * QUANTUM)

    async def keep_whole_quanta(self) -> None:
        """An interruption: keep what makes up whole quanta, forget the rest."""
        await self._hand_over(self._waiting_size // QUANTUM * QUANTUM)
        await self._settle()
        self._waiting.clear()
        self._waiting_size = 0
        self.received = self.size

    async def settle(self) -> None:
        """Write all that was taken; on return it is in the file."""
        await self._hand_over(self._waiting_size)
        await self._settle()

    async def finish(self) -> Blob:
        """Write the rest and move the file into place."""
        if self.received <= SMALL:
            self._store(self._waiting)  # not worth a thread
        else:
            await self.settle()
        os.close(self._descriptor)
        self._place.parent.mkdir(exist_ok=True)
        self._aside.rename(self._place)
        crc32c = b64encode(self._crc32c.to_bytes(4, "big")).decode()
        return Blob(self.id, self.size, crc32c, b64encode(self._md5.digest()).decode())

    async def abandon(self) -> None:
        """Drop the blob."""
        await self._settle()
        os.close(self._descriptor)
        self._aside.unlink(missing_ok=True)

    async def copy(self, source: BinaryIO) -> None:
        """Append a whole file, and close it."""
        await self.settle()
        await asyncio.get_running_loop().run_in_executor(self._threads, self._append_file, source)
        self.received = self.size

    async def _hand_over(self, size: int) -> None:
        await self._settle()
        parts = self._waiting
        rest = self._waiting_size - size
        self._waiting = []
        self._waiting_size = rest
        while rest:
            last = parts.pop()
            if len(last) > rest:
                parts.append(last[:-rest])
                last = last[-rest:]
            self._waiting.insert(0, last)
            rest -= len(last)
        if size:
            loop = asyncio.get_running_loop()
            self._under_way = loop.run_in_executor(self._threads, self._store, parts)

    async def _settle(self) -> None:
        under_way, self._under_way = self._under_way, None
        if under_way is not None:
            await under_way

    def _store(self, parts: Iterable[bytes]) -> None:
        for part in parts:
            self._digest(part)
            view = memoryview(part)
            while view:
                view = view[os.write(self._descriptor, view) :]

    def _digest(self, part: bytes) -> None:
        self._crc32c = google_crc32c.extend(self._crc32c, part)
        self._md5.update(part)
        self.size += len(part)

    def _digest_again(self, size: int) -> None:
        while self.size < size:
            self._digest(os.read(self._descriptor, BLOCK))

    def _append_file(self, source: BinaryIO) -> None:
        with source:
            while block := source.read(BLOCK):
                self._store([block])


def _unlink(paths: Iterable[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)
