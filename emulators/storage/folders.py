"""The folder where an emulator keeps its state: its own alone, and gone with the process when nobody asked for it."""

import fcntl
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TextIO


def locked(folder: Path) -> TextIO:
    """A lock on `folder` that lasts until the file is closed or the process ends, however it ends.

    Raises:
        SystemExit: another emulator works there, and would lose what this one sweeps away.
    """
    lock = (folder / "lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        sys.exit(f"The folder {folder} is in use by another storage emulator. Stop that one, or give --data another.")
    return lock


def temporary_folder() -> Path:
    """A folder named by this process; those of processes that died without clearing theirs are removed."""
    prefix = "storage-emulator-"
    root = Path(tempfile.gettempdir())
    for left in root.glob(prefix + "*"):
        owner = left.name.removeprefix(prefix).partition("-")[0]
        if owner.isdigit() and not Path("/proc", owner).exists() and Path("/proc/self").exists():
            shutil.rmtree(left, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=f"{prefix}{os.getpid()}-", dir=root))
