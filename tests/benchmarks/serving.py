"""How fast predictions are answered, as a share of what a constant through the same framework gives, in one run.

    PYTHONPATH=.:shared python tests/benchmarks/serving.py [--seconds 3] [--peers FOLDER]

Every server is one process; the load comes from another. Absolute figures are this machine's, the ratios travel.
`--peers` names a folder with FastAPI and pandas: `uv pip install --python PYTHON --target FOLDER fastapi pandas`.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import requests
from google.cloud.storage import Client

from dropforge.contracts import places
from dropforge.contracts.models import Champion
from dropforge.gcp.storage import Bucket
from emulators.ports import free_port
from functions.build import REPO, build
from tests.emulators.launch import Emulator
from tests.functions.trained import flights, trained

LOAD = Path(__file__).with_name("closed_loop.py")
UVICORN = [sys.executable, "-P", "-m", "uvicorn", "--no-access-log", "--log-level", "warning"]
SHAPES = [(1, 1), (1, 8), (1, 32), (32, 8), (1000, 1)]  # instances, connections


@contextmanager
def server(command: list[str], folder: Path, port: int, **variables: str) -> Iterator[float]:
    """A server while the block lasts; yields the seconds until it accepted a connection and answered."""
    environment = {"PATH": os.defpath, "HOME": str(Path.home()), **variables}
    began = time.perf_counter()
    process = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL)
    try:
        yield _first_answer(process, port) - began
    finally:
        process.terminate()
        process.wait(timeout=20)


def _first_answer(process: subprocess.Popen[bytes], port: int) -> float:
    for _ in range(3000):
        try:
            requests.get(f"http://127.0.0.1:{port}/healthz", timeout=5)
        except requests.ConnectionError:
            if process.poll() is not None:
                raise ChildProcessError(f"{process.args!r} ended.") from None
            time.sleep(0.01)
        else:
            return time.perf_counter()
    raise TimeoutError(f"{process.args!r} does not answer.")


class Bench:
    """The servers that are compared, and a stored, published candidate for ours."""

    def __init__(self, scratch: Path, storage: Emulator, peers: Path | None) -> None:
        self._scratch = scratch
        self._peers = peers
        build(["predict", "model_server"], out=scratch)
        os.environ["STORAGE_EMULATOR_HOST"] = storage.url
        self._ours = {"STORAGE_EMULATOR_HOST": storage.url, "GOOGLE_CLOUD_PROJECT": "bench"}
        candidate = trained().candidate
        with Client(project="bench") as client:
            client.create_bucket("bench-state")
            state = Bucket(client, "bench-state")
            folder = trained().store(state)
            pointer = Champion(
                pipeline="flights",
                candidate_id=candidate.candidate_id,
                version="1",
                model="models/m",
                endpoint="",
                deployed_model_id="inline",
                artefact_sha256=candidate.artefact_sha256,
                trained_until=candidate.lineage.train_until,
                published=candidate.created,
                published_by="the benchmark",
            )
            state.create(places.champion("flights"), pointer.model_dump_json().encode())
        self._container = self._ours | {
            "AIP_STORAGE_URI": folder,
            "DROPFORGE_MODEL_SHA256": candidate.artefact_sha256,
        }
        self._compiled = {"DROPFORGE_COMPILED_SHA256": candidate.compiled_sha256 or ""}

    def names(self) -> list[str]:
        """What is compared, the constant first."""
        ours = ["constant", "model server", "predict inline", "model server, scikit-learn"]
        return ours + (["FastAPI with pandas"] if self._peers else [])

    @contextmanager
    def running(self, name: str) -> Iterator[tuple[int, str, float]]:
        """One of them: its port, the path to ask, and its cold start in seconds."""
        port = free_port()
        at = ["--port", str(port)]
        paths = f"{REPO}:{REPO / 'shared'}"
        framework = [*UVICORN, "functions_framework.aio:app", *at]
        if name == "constant":
            source = str(Path(__file__).with_name("serving_peers.py"))
            given = server(framework, self._scratch, port, FUNCTION_TARGET="constant", FUNCTION_SOURCE=source)
            path = "/"
        elif name == "predict inline":
            variables = self._ours | {"FUNCTION_TARGET": "predict", "DROPFORGE_PREDICT_BACKEND": "inline"}
            given = server(framework, self._scratch / "predict", port, **variables)
            path = "/v1/pipelines/flights:predict"
        elif name == "FastAPI with pandas":
            command = [*UVICORN, "--factory", "tests.benchmarks.serving_peers:fastapi_with_pandas", *at]
            given = server(command, REPO, port, PYTHONPATH=f"{paths}:{self._peers}")
            path = "/predict"
        else:
            variables = self._container | ({} if "scikit" in name else self._compiled)
            command = [sys.executable, "-P", "main.py"]
            given = server(command, self._scratch / "model_server", port, AIP_HTTP_PORT=str(port), **variables)
            path = "/predict"
        with given as cold:
            yield port, path, cold

    def body(self, instances: int) -> Path:
        """A file with a request."""
        file = self._scratch / f"{instances}.json"
        file.write_text(json.dumps({"instances": (flights() * 2)[:instances]}))
        return file


def load(port: int, path: str, body: Path, connections: int, seconds: float) -> dict[str, float]:
    """One measurement."""
    command = [sys.executable, str(LOAD), str(port), path, str(body), str(connections), str(seconds)]
    found: dict[str, float] = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    return found


def measured(bench: Bench, name: str, seconds: float) -> dict[str, Any]:
    """All shapes of one server, and the best of three cold starts."""
    colds = []
    for _ in range(2):
        with bench.running(name) as (_, _, cold):
            colds.append(cold)
    with bench.running(name) as (port, path, cold):
        load(port, path, bench.body(1), 8, 0.5)
        shapes = {
            f"{instances}x{connections}": load(port, path, bench.body(instances), connections, seconds)
            for instances, connections in SHAPES
            if name != "constant" or instances == 1
        }
    return {"cold_seconds": round(min(*colds, cold), 3), **shapes}


def main() -> None:
    """Measure and print a table, then everything as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--peers", type=Path)
    given = parser.parse_args()
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        storage = stack.enter_context(Emulator("storage", scratch / "storage.log"))
        bench = Bench(scratch, storage, given.peers and given.peers.resolve())
        found = {name: measured(bench, name, given.seconds) for name in bench.names()}
    bound = found["constant"]
    print(f"{'':28}{'cold':>7}{'1 row, 8 connections':>26}{'of the constant':>17}{'rows/s at 1000':>16}")
    for name, each in found.items():
        one = each["1x8"]
        share = one["rate"] / bound["1x8"]["rate"]
        rows = f"{each['1000x1']['rate'] * 1000:.0f}" if "1000x1" in each else ""
        seen = f"{one['rate']:.0f}/s, p99 {one['p99_ms']} ms"
        print(f"{name:28}{each['cold_seconds']:>6}s{seen:>26}{share:>16.2f}x{rows:>16}")
    print(json.dumps(found))


if __name__ == "__main__":
    main()
