"""`./deploy.sh emulators`: all of them at once, for other people's code."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests
from google.cloud import storage

from emulators.ports import free_port
from tests.emulators.launch import anonymous

REPO = Path(__file__).parents[2]
NAMES = ("storage", "pubsub", "bigquery", "vertex")


@contextmanager
def emulators(home: Path, *arguments: str) -> Iterator[dict[str, str]]:
    """The command, until Ctrl-C; what it exports, as it printed it and as it wrote it."""
    ports = [f"--{name}-port=0" for name in NAMES if not any(name in argument for argument in arguments)]
    env_file = home.with_suffix(".sh")
    env_file.unlink(missing_ok=True)
    command = [sys.executable, "-m", "infra", "emulators", "--home", str(home), "--env-file", str(env_file)]
    set_by_the_user = {"DROPFORGE_VERTEX_TLS": "yes"}
    paths = {"PYTHONPATH": f"{REPO}:{REPO / 'shared'}", "PYTHONUNBUFFERED": "1"}
    environment = os.environ | paths | set_by_the_user
    running = subprocess.Popen(
        [*command, *ports, *arguments], cwd=REPO, env=environment, stdout=subprocess.PIPE, text=True
    )
    assert running.stdout is not None, "opened as a pipe above"
    with running.stdout as lines:
        printed = []
        for line in lines:
            printed.append(line)
            if line.startswith("export VERTEX_EMULATOR_CONTROL="):
                break
        told = dict(line.removeprefix("export ").rstrip("\n").split("=", 1) for line in printed)
        try:
            while not env_file.exists() or len(env_file.read_text().splitlines()) < len(printed):
                assert running.poll() is None
            assert env_file.read_text().startswith("".join(printed))
            yield told
        finally:
            running.send_signal(signal.SIGINT)
            assert running.wait(timeout=60) == 0


def test_all_answer_where_the_lines_say_and_end_with_ctrl_c(tmp_path: Path) -> None:
    """At a port that was asked for and at free ones, with nothing left behind."""
    wanted = free_port()
    with emulators(tmp_path / "home", "--memory", f"--storage-port={wanted}") as told:
        for name in NAMES:
            health = requests.get(f"{told[f'{name.upper()}_EMULATOR_CONTROL']}/health", timeout=10).json()
            assert (health["emulator"], health["status"]) == (name, "ok")
        assert told["STORAGE_EMULATOR_HOST"] == f"http://127.0.0.1:{wanted}"
        bigquery, vertex = (
            requests.get(f"{told[f'{name}_EMULATOR_CONTROL']}/health", timeout=10).json()["tls"]
            for name in ("BIGQUERY", "VERTEX")
        )
        assert bigquery["address"] == told["DROPFORGE_BIGQUERY_STORAGE_API"]
        assert bigquery["authority"] == vertex["authority"] == told["GRPC_DEFAULT_SSL_ROOTS_FILE_PATH"]
        assert Path(bigquery["authority"]).read_text().startswith("-----BEGIN CERTIFICATE")
        assert told["CLOUDSDK_API_ENDPOINT_OVERRIDES_AIPLATFORM"] == f"{told['DROPFORGE_VERTEX_API']}/"
    with pytest.raises(requests.ConnectionError):
        requests.get(f"http://127.0.0.1:{wanted}/_emulator/health", timeout=10)
    assert not (tmp_path / "home").exists()


def test_a_folder_keeps_what_was_stored_until_the_next_start(tmp_path: Path) -> None:
    """As `--memory` does not."""
    for expected in ([], ["kept"]):
        with emulators(tmp_path / "home") as told:
            options = {"api_endpoint": told["STORAGE_EMULATOR_HOST"]}
            with storage.Client("test-project", anonymous(), client_options=options) as client:
                assert [bucket.name for bucket in client.list_buckets()] == expected
                if not expected:
                    client.create_bucket("kept")
