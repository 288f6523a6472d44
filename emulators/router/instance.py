"""One instance of a function: a process, the socket it serves, and what it holds in memory."""

import asyncio
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from emulators.hosting import listen
from emulators.process import spawn
from emulators.router.errors import StartFailed
from emulators.router.logs import Log
from emulators.router.upstream import Upstream

_STARTUP_SECONDS = 240  # Cloud Run's default startup probe gives up then
_STOP_SECONDS = 10  # between SIGTERM and SIGKILL, as Cloud Run does
_LOOPBACK = "127.0.0.1"
_ENDED = "the process ended"
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


class Instance:
    """A process that serves one function. It takes requests from when `start` returns until it is `gone`."""

    def __init__(self, command: Sequence[str], folder: Path, environment: Mapping[str, str], log: Log) -> None:
        self._command, self._folder, self._environment, self._log = command, folder, environment, log
        self._process: subprocess.Popen[bytes] | None = None
        self._loaded = asyncio.Event()
        self.gone = asyncio.Event()
        self.reason = _ENDED
        self.in_flight = 0
        self.idle_since = 0.0
        self.ready = False
        self.draining = False
        self.port = 0

    @property
    def pid(self) -> int:
        """The process's id; 0 before the start."""
        return self._process.pid if self._process is not None else 0

    async def start(self) -> None:
        """Start the process and wait until the function is loaded.

        The socket listens before the process runs, so nobody polls and no port is lost to another between.

        Raises:
            StartFailed: there is no bundle, the process ended, or the time for a start ran out.
        """
        if not (self._folder / "main.py").is_file():
            raise StartFailed(f"There is no bundle {self._folder}. Make it with `python -m functions.build`.")
        listener = listen(_LOOPBACK, 0)
        listener.listen(1024)
        listener.set_inheritable(True)
        self.port = listener.getsockname()[1]
        self.upstream = Upstream(_LOOPBACK, self.port)
        readable, writable = os.pipe()
        log = self._log.open()
        try:
            self._process = spawn(
                [*self._command, str(listener.fileno()), str(writable)],
                environment={**self._environment, "PORT": str(self.port)},
                folder=self._folder,
                stdout=log,
                stderr=log,
                keep_open=(listener.fileno(), writable),
            )
        finally:
            listener.close()
            os.close(writable)
            os.close(log)
        asyncio.get_running_loop().add_reader(readable, self._heard, readable)
        with suppress(TimeoutError):
            async with asyncio.timeout(_STARTUP_SECONDS):
                await self._loaded.wait()
        if self.gone.is_set():
            raise StartFailed(f"{self._folder} did not start: {self.reason}. See {self._log.path}.")
        if not self._loaded.is_set():
            self.kill(f"it was not ready after {_STARTUP_SECONDS} s")
            raise StartFailed(f"{self._folder} did not start: {self.reason}. See {self._log.path}.")
        self.ready = True

    def _heard(self, readable: int) -> None:
        """The ready pipe: a byte when the function is loaded, its end when the process is gone."""
        if os.read(readable, 1):
            self._loaded.set()
            return
        asyncio.get_running_loop().remove_reader(readable)
        os.close(readable)
        self.ready = False
        self._burial = asyncio.create_task(self._bury())

    async def _bury(self) -> None:
        assert self._process is not None
        try:
            status = await asyncio.to_thread(self._process.wait, 1.0)
        except subprocess.TimeoutExpired:  # it has closed the pipe and lives on
            self.kill("it closed its inherited descriptors")
            status = await asyncio.to_thread(self._process.wait)
        if self.reason == _ENDED:
            self.reason += f" with signal {signal.Signals(-status).name}" if status < 0 else f" with status {status}"
        self.gone.set()
        self._loaded.set()
        self.upstream.close()

    def kill(self, reason: str) -> None:
        """End the process and its children at once; `reason` is what the requests in flight are told."""
        self.reason = reason
        self.ready = False
        if self._process is None or self._process.poll() is not None:
            return
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except ProcessLookupError:  # it has not made its group yet
            self._process.kill()

    async def stop(self) -> None:
        """Ask the process to end, and make it after a while."""
        self.draining = True
        self.ready = False
        self.reason = "it was no longer needed"
        if self._process is None or self._process.poll() is not None:
            return
        self._process.terminate()
        try:
            async with asyncio.timeout(_STOP_SECONDS):
                await self.gone.wait()
        except TimeoutError:
            self.kill(self.reason)

    def resident_bytes(self) -> int:
        """What the process and its children hold in memory, as a container's limit counts it; 0 where the system does
        not tell. Pages that they share count for each."""
        return _resident_bytes(self.pid)


def _resident_bytes(pid: int) -> int:
    process = Path(f"/proc/{pid}")
    try:
        own = int((process / "statm").read_text().split()[1]) * _PAGE_BYTES
        lists = [(task / "children").read_text() for task in (process / "task").iterdir()]
    except (OSError, IndexError, ValueError):  # it has just ended
        return 0
    return own + sum(_resident_bytes(int(child)) for children in lists for child in children.split())
