"""Large objects pass through without being held in memory."""

import hashlib
import io
import random
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.emulators.launch import Emulator
from tests.emulators.storage.conftest import Connect

MIB = 1024 * 1024

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads the peak of memory from /proc")


def peak_memory(running: Emulator) -> int:
    """The most bytes of memory that the emulator ever held (VmHWM, proc(5))."""
    status = Path(f"/proc/{running.process.pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


def pass_through(log: Path, connect: Connect, size: int, folder: Path) -> int:
    """Upload and download an object of `size` bytes; return by how much the emulator's peak of memory grew."""
    source, target = folder / "source", folder / "target"
    with source.open("wb") as file:
        file.truncate(size)
    with Emulator("storage", log) as own:  # its temporary folder goes with it
        bucket = connect(own).create_bucket("large")
        bucket.blob("small").upload_from_string(b"x" * 9 * MIB)
        before = peak_memory(own)
        bucket.blob("large").upload_from_filename(source, timeout=300)
        bucket.blob("whole").compose([bucket.blob("large")], timeout=300)
        bucket.blob("whole").download_to_filename(target, timeout=300)
        assert target.stat().st_size == size
        target.unlink()
        return peak_memory(own) - before


def test_memory_stays_flat(tmp_path: Path, log: Path, connect: Connect) -> None:
    """200 MB up, composed and down; another emulator takes 1 GB of memory for the upload alone."""
    assert pass_through(log, connect, 200 * MIB, tmp_path) < 32 * MIB


class Generated(io.RawIOBase):
    """`size` bytes that no disk holds, in blocks of 1 MiB that all differ; what was read of it is digested."""

    def __init__(self, size: int) -> None:
        self._size, self._place = size, 0
        self._block = random.Random(0).randbytes(MIB)
        self.digest = hashlib.sha256()

    def readable(self) -> bool:
        """It is for reading."""
        return True

    def seekable(self) -> bool:
        """The client asks where it stands."""
        return True

    def seek(self, place: int, whence: int = io.SEEK_SET) -> int:
        """Stay here: a second reading of the same bytes would spoil the digest."""
        assert (place, whence) in ((self._place, io.SEEK_SET), (0, io.SEEK_CUR)), "the upload had to begin again"
        return self._place

    def readinto(self, target: Any) -> int:
        """Fill `target` up to the end of the block."""
        number, begin = divmod(self._place, MIB)
        block = number.to_bytes(8) + self._block[8:]
        piece = block[begin : begin + min(len(target), self._size - self._place)]
        target[: len(piece)] = piece
        self._place += len(piece)
        self.digest.update(piece)
        return len(piece)


class Digesting(io.RawIOBase):
    """Takes what is written for its digest, and keeps nothing."""

    def __init__(self) -> None:
        self.digest = hashlib.sha256()

    def writable(self) -> bool:
        """It is for writing."""
        return True

    def write(self, data: Any) -> int:
        """Digest a piece."""
        self.digest.update(data)
        return len(data)


@pytest.mark.heavy
@pytest.mark.timeout(1800)
def test_memory_stays_flat_for_five_gigabytes(log: Path, connect: Connect) -> None:
    """The largest object that one might drop, up in pieces of a resumable upload, down in one request and in ranges."""
    size = 5 * 1024 * MIB
    source = Generated(size)
    with Emulator("storage", log) as own:  # its temporary folder goes with it
        bucket = connect(own).create_bucket("large")
        began = time.monotonic()
        pieces = bucket.blob("large", chunk_size=64 * MIB)
        pieces.upload_from_file(io.BufferedReader(source, MIB), size=size, timeout=300)
        tell("up", size, began, own)
        for way, blob in (("down in one request", bucket.blob("large")), ("down in ranges of 64 MiB", pieces)):
            began, sink = time.monotonic(), Digesting()
            blob.download_to_file(sink, timeout=300)
            tell(way, size, began, own)
            assert sink.digest.hexdigest() == source.digest.hexdigest()
        assert peak_memory(own) < 150 * MIB


def tell(way: str, size: int, began: float, running: Emulator) -> None:
    """A line for docs/benchmarks.md; the client's digests are part of the time."""
    seconds = time.monotonic() - began
    print(f"{way}: {size / seconds / 1e6:.0f} MB/s, peak of memory {peak_memory(running) / MIB:.0f} MiB")
