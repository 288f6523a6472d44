"""Becomes another program, which the kernel ends when the process that asked for it ends.

    python -I -S bound.py PARENT COMMAND...

`process.py` starts this file in place of the command. What it does cannot be done between fork and exec in the parent:
that needs a real fork, which runs the handlers of every library there, and gRPC's end some of the children or hang
(https://github.com/grpc/grpc/issues/43055). Linux only.
"""

import ctypes
import os
import sys

# linux/prctl.h and signal.h; `import signal` would cost as much as all else here
_PR_SET_PDEATHSIG, _SIGKILL, _SIGPIPE, _SIG_DFL = 1, 9, 13, None
_CANNOT_RUN = 127  # a shell's status for it


def main(parent: int, command: list[str]) -> None:
    """Bind this process to `parent`, and run `command` in it; the process id stays."""
    libc = ctypes.CDLL(None)
    libc.prctl(_PR_SET_PDEATHSIG, _SIGKILL)
    if os.getppid() != parent:  # it ended before it was bound to
        return
    libc.signal(_SIGPIPE, _SIG_DFL)  # the interpreter ignores it, and that would be inherited
    try:
        os.execvp(command[0], command)
    except OSError as error:
        print(f"{command[0]} cannot be run: {error}", file=sys.stderr, flush=True)
        sys.exit(_CANNOT_RUN)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
