"""The servers that are compared, each a process of its own, ready when it has answered a prediction."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import requests
from google.cloud.storage import Client

from dropforge.contracts import places
from dropforge.contracts.logged import PREDICTIONS_TOPIC
from dropforge.contracts.models import Champion
from dropforge.gcp.storage import Bucket
from emulators.ports import free_port
from functions.build import REPO, build
from tests.emulators.launch import Emulator
from tests.functions.trained import flights, trained

UVICORN = [sys.executable, "-P", "-m", "uvicorn", "--no-access-log", "--log-level", "warning"]
PEERS = {"FastAPI with pandas": "fastapi", "LitServe": "litserve", "BentoML": "bentoml", "MLflow": "mlflow"}
PATIENCE = 180.0  # seconds for a first answer; some take half a minute on a busy machine


@dataclass(frozen=True)
class Started:
    """A server that has answered. `cold` is the seconds from its command to that answer."""

    port: int
    path: str
    form: str  # what a request calls its instances
    cold: float


@dataclass(frozen=True)
class Command:
    """How a server is started."""

    words: list[str]
    folder: Path
    path: str
    form: str = "instances"
    variables: dict[str, str] = field(default_factory=dict)


class Servers:
    """All that are compared, and a stored, published candidate for ours."""

    def __init__(self, scratch: Path, storage: Emulator, pubsub: Emulator, peers: Path | None) -> None:
        self._scratch = scratch
        self._peers = peers
        build(["predict", "model_server"], out=scratch)
        os.environ["STORAGE_EMULATOR_HOST"] = storage.url
        self._ours = {
            "STORAGE_EMULATOR_HOST": storage.url,
            "GOOGLE_CLOUD_PROJECT": "bench",
            "DROPFORGE_PUBSUB_API": pubsub.control_url,
        }
        topic = f"{pubsub.control_url}/v1/projects/bench/topics/{PREDICTIONS_TOPIC}"
        requests.put(topic, json={}, timeout=10).raise_for_status()
        made = trained().candidate
        self._container = self._ours | {"AIP_STORAGE_URI": _published(), "DROPFORGE_MODEL_SHA256": made.artefact_sha256}
        self._compiled = {"DROPFORGE_COMPILED_SHA256": made.compiled_sha256 or ""}
        (scratch / "rows.json").write_text(json.dumps(flights()))

    def names(self) -> list[str]:
        """What is compared, the constant first."""
        ours = ["constant", "model server", "predict inline", "model server, scikit-learn"]
        return ours + (list(PEERS) if self._peers else [])

    @contextmanager
    def running(self, name: str) -> Iterator[Started]:
        """One of them, while the block lasts."""
        port = free_port()
        given = self._command(name, port)
        environment = {"PATH": os.defpath, "HOME": str(Path.home()), **given.variables}
        began = time.perf_counter()
        process = subprocess.Popen(
            given.words,
            cwd=given.folder,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=(self._scratch / f"{name}.log").open("ab"),
            start_new_session=True,
        )
        try:
            self._wait(process, port, given)
            yield Started(port, given.path, given.form, round(time.perf_counter() - began, 3))
        finally:
            os.killpg(process.pid, signal.SIGTERM)  # some have workers
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def body(self, form: str, instances: int) -> Path:
        """A file with a request."""
        file = self._scratch / f"{form}-{instances}.json"
        file.write_text(json.dumps({form: (flights() * 2)[:instances]}))
        return file

    def _command(self, name: str, port: int) -> Command:
        framework = [*UVICORN, "functions_framework.aio:app", "--port", str(port)]
        if name == "constant":
            source = str(Path(__file__).with_name("constant.py"))
            variables = {"FUNCTION_TARGET": "constant", "FUNCTION_SOURCE": source}
            return Command(framework, self._scratch, "/", variables=variables)
        if name == "predict inline":
            variables = self._ours | {"FUNCTION_TARGET": "predict", "DROPFORGE_PREDICT_BACKEND": "inline"}
            return Command(framework, self._scratch / "predict", "/v1/pipelines/flights:predict", variables=variables)
        if name in PEERS:
            words = [str(self._peers), "-m", "tests.benchmarks.serving.peers", PEERS[name], str(port)]
            path, form = ("/invocations", "dataframe_records") if name == "MLflow" else ("/predict", "instances")
            rows = str(self._scratch / "rows.json")
            return Command([*words, rows], REPO, path, form, {"PYTHONPATH": str(REPO)})
        variables = self._container | {"AIP_HTTP_PORT": str(port)} | ({} if "scikit" in name else self._compiled)
        return Command(
            [sys.executable, "-P", "main.py"], self._scratch / "model_server", "/predict", "instances", variables
        )

    def _wait(self, process: subprocess.Popen[bytes], port: int, given: Command) -> None:
        body = self.body(given.form, 1).read_bytes()
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            try:
                answer = requests.post(
                    f"http://127.0.0.1:{port}{given.path}",
                    data=body,
                    headers={"content-type": "application/json"},
                    timeout=20,
                )
            except requests.RequestException:
                if process.poll() is not None:
                    raise ChildProcessError(f"{given.words} ended.") from None
            else:
                if answer.status_code == 200:
                    return
            time.sleep(0.01)
        raise TimeoutError(f"{given.words} does not answer.")


def _published() -> str:
    """Store the candidate and point to it; gives the folder that a container is told."""
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
    return folder
