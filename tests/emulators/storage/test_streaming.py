"""Large objects pass through without being held in memory."""

import sys
from pathlib import Path

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


@pytest.mark.heavy
@pytest.mark.timeout(900)
def test_memory_stays_flat_for_five_gigabytes(tmp_path: Path, log: Path, connect: Connect) -> None:
    """The same for the largest object that one might drop."""
    assert pass_through(log, connect, 5 * 1024 * MIB, tmp_path) < 32 * MIB
