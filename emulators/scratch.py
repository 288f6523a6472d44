"""Temporary folders that do not pile up, although an emulator that is killed cannot remove its own."""

import os
import shutil
import tempfile
from pathlib import Path


def scratch_folder(name: str) -> Path:
    """A fresh folder of this process for emulator `name`; those of dead processes are removed on the way.

    Its path is short enough for Unix sockets, which may have 107 bytes.
    """
    prefix = f"dropforge-{name}-"
    for folder in Path(tempfile.gettempdir()).glob(f"{prefix}*-*"):
        owner = folder.name.removeprefix(prefix).partition("-")[0]
        if owner.isdigit() and not _alive(int(owner)):
            shutil.rmtree(folder, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=f"{prefix}{os.getpid()}-"))


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # another user's
        return True
    return True
