"""Child processes that do not outlive their parent, even when it is killed with `kill -9`."""

import errno
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

_BOUND = Path(__file__).with_name("bound.py")


def spawn(
    command: Sequence[str],
    *,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
    stdout: int | IO[bytes] | None = None,
    stderr: int | IO[bytes] | None = None,
    keep_open: Sequence[int] = (),
) -> subprocess.Popen[bytes]:
    """Start `command` so that the kernel ends it when the calling *thread* ends (prctl(2), PR_SET_PDEATHSIG).

    Call it from a thread that lives as long as the child should: the main thread, or an event loop's. The child
    inherits the file descriptors in `keep_open`, under the same numbers. Where there is no such call, as on macOS, the
    child outlives a parent that is killed.

    Raises:
        OSError: the command is not there, or may not be run.
    """
    variables = dict(os.environ if environment is None else environment)
    _check(command[0], variables.get("PATH"), folder or Path())
    if sys.platform == "linux":
        command = [sys.executable, "-I", "-S", str(_BOUND), str(os.getpid()), *command]
    return subprocess.Popen(
        command,
        env=variables,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=stderr,
        pass_fds=keep_open,
    )


def _check(program: str, path: str | None, folder: Path) -> None:
    """Say before the start what would else be said only by a process that has ended already."""
    if os.sep not in program:
        found = shutil.which(program, path=path) is not None
    else:
        found = (folder / program).is_file()
        if found and not os.access(folder / program, os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), program)
    if not found:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), program)
