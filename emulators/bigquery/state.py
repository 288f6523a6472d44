"""The adopted local-bigquery process: where it lies, how it starts, where its data is kept, how it ends."""

import asyncio
import json
import os
import shutil
import subprocess
from pathlib import Path

from emulators.bigquery.errors import EmulatorUnusable
from emulators.process import spawn
from emulators.scratch import scratch_folder

ENVIRONMENT_VARIABLE = "DROPFORGE_BIGQUERY_ENV"
REPOSITORY = Path(__file__).parents[2]


def environment_folder() -> Path:
    """The virtual environment that holds local-bigquery.

    Raises:
        EmulatorUnusable: there is no Python in it.
    """
    folder = Path(os.environ.get(ENVIRONMENT_VARIABLE) or REPOSITORY / ".dropforge" / "bigquery-env")
    if not (folder / "bin" / "python").exists():
        raise EmulatorUnusable(
            f"The BigQuery emulator needs an environment with emulators/bigquery/requirements.txt installed. "
            f"Expected it in {folder}, found none. Make it there, or name another in {ENVIRONMENT_VARIABLE}."
        )
    return folder


class AdoptedProcess:
    """One running local-bigquery over one data folder; without a folder, over a temporary one that goes at the end."""

    def __init__(self, data: Path | None, host: str) -> None:
        self._environment = environment_folder()
        self._host = host
        # The Unix socket never lies below the data folder, whose path may be too long for it.
        self._scratch = scratch_folder("bigquery")
        self._data = (data or self._scratch / "data").resolve()
        self._process: subprocess.Popen[bytes] | None = None
        self.storage_api = ""

    @property
    def socket(self) -> str:
        """Path of the Unix socket that answers the REST API."""
        return str(self._scratch / "rest.sock")

    @property
    def pid(self) -> int:
        """Process id of local-bigquery."""
        assert self._process is not None, "not started"
        return self._process.pid

    async def start(self) -> None:
        """Start, and return once it answers.

        Raises:
            EmulatorUnusable: it ended instead; what it wrote went to our standard error.
        """
        self._data.mkdir(parents=True, exist_ok=True)
        home = self._environment / "home"  # DuckDB keeps its extensions below the home folder: not the user's
        home.mkdir(exist_ok=True)
        script = Path(__file__).with_name("adopted.py")
        python = str(self._environment / "bin" / "python")
        # -P keeps this folder, whose `errors.py` and `state.py` are not meant for it, off the import path
        command = [python, "-P", str(script), "--socket", self.socket, "--data", str(self._data), "--host", self._host]
        process = self._process = spawn(
            command, environment=self._variables(home), folder=self._scratch, stdout=subprocess.PIPE
        )
        assert process.stdout is not None, "opened as a pipe above"
        with process.stdout as lines:
            line = await asyncio.to_thread(lines.readline)
        if not line:
            raise EmulatorUnusable(f"local-bigquery ended with status {process.wait()} before it answered.")
        self.storage_api = json.loads(line)["storage_api"]

    @staticmethod
    def _variables(home: Path) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}
        return kept | {"HOME": str(home)}

    async def ended(self) -> int:
        """Wait until the process ends by itself; its exit status."""
        assert self._process is not None, "not started"
        return await asyncio.to_thread(self._process.wait)

    async def stop(self) -> None:
        """End the process; data that it acknowledged stays."""
        if self._process is not None:
            self._process.kill()
            await asyncio.to_thread(self._process.wait)
        Path(self.socket).unlink(missing_ok=True)

    async def clear(self) -> None:
        """Remove all data of a stopped process."""
        shutil.rmtree(self._data, ignore_errors=True)

    async def close(self) -> None:
        """End the process and remove what was temporary."""
        await self.stop()
        shutil.rmtree(self._scratch, ignore_errors=True)
