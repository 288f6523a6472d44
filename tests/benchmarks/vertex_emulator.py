"""What the Vertex AI emulator costs: start, upload, deployment, and predictions beside those of the server itself.

    PYTHONPATH=.:shared python tests/benchmarks/vertex_emulator.py [--rounds 5] [--connections 8]

The model server is the smallest that keeps the container contract, so that what is seen is the emulator. It and the
emulator are asked in turn within every round; figures are medians, ratios are through the emulator to direct.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import httpx

from tests.emulators.launch import Emulator

LOCATION = "projects/benchmark/locations/us-central1"
SERVER = """
import os, uvicorn
ANSWER = b'{"predictions": [0.5]}'

async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    while (await receive()).get("more_body"):
        pass
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(ANSWER)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": ANSWER})

uvicorn.run(app, host="127.0.0.1", port=int(os.environ["AIP_HTTP_PORT"]), log_level="error", lifespan="off")
"""
Figures = dict[str, list[float]]


def post(url: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """One call; a long-running operation is waited for."""
    answer: dict[str, Any] = httpx.post(f"{url}/v1/{path}", json=body, timeout=60).raise_for_status().json()
    while "operations/" in answer.get("name", "") and not answer.get("done"):
        answer = httpx.get(f"{url}/v1/{answer['name']}", timeout=60).raise_for_status().json()
    if "error" in answer:
        sys.exit(f"{path}: {answer['error']}")
    response: dict[str, Any] = answer.get("response", answer)
    return response


def port_of(process: int) -> int:
    """Where a replica was told to listen."""
    told = Path(f"/proc/{process}/environ").read_text().split("\0")
    return int(next(each for each in told if each.startswith("AIP_HTTP_PORT=")).partition("=")[2])


def asked(port: int, path: str, body: Path, connections: int, figures: Figures, what: str) -> None:
    """Two seconds of predictions from a process of their own."""
    loop = Path(__file__).with_name("closed_loop.py")
    command = [sys.executable, str(loop), str(port), path, str(body), str(connections), "2"]
    said = json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout)
    figures[f"{what}, median of {connections} at once (ms)"].append(said["p50_ms"])
    figures[f"{what}, {connections} at once (1/s)"].append(said["rate"])


def measure(folder: Path, connections: int, figures: Figures) -> None:
    """One round over a fresh emulator with its state in files."""
    (folder / "server.py").write_text(SERVER)
    (folder / "body.json").write_text('{"instances": [{"x": 1}]}')
    image = {"pattern": "*", "command": [sys.executable, "server.py"], "folder": str(folder)}
    (folder / "images.json").write_text(json.dumps({"images": [image]}))
    began = time.perf_counter()
    images = str(folder / "images.json")
    with Emulator("vertex", folder / "log", folder / "data", DROPFORGE_VERTEX_IMAGES=images) as emulator:
        figures["start (s)"].append(time.perf_counter() - began)
        container = {"imageUri": "a/b:1", "predictRoute": "/predict", "healthRoute": "/health"}
        began = time.perf_counter()
        for number in range(50):
            model = {"displayName": f"m{number}", "containerSpec": container}
            uploaded = post(emulator.url, f"{LOCATION}/models:upload", {"model": model})
        figures["upload, acknowledged on disk (ms)"].append((time.perf_counter() - began) / 50 * 1000)
        endpoint = post(emulator.url, f"{LOCATION}/endpoints", {"displayName": "e"})["name"]
        machine = {"machineSpec": {"machineType": "n1-standard-2"}, "minReplicaCount": 1}
        began = time.perf_counter()
        deployed = {"model": uploaded["model"], "dedicatedResources": machine}
        post(emulator.url, f"{endpoint}:deployModel", {"deployedModel": deployed, "trafficSplit": {"0": 100}})
        figures["deployment, a process and its health (s)"].append(time.perf_counter() - began)
        direct = port_of(emulator.control("GET", "/health").json()["processes"][0]["pid"])
        body = folder / "body.json"
        for count in (1, connections):
            asked(direct, "/predict", body, count, figures, "direct")
            port = int(emulator.url.rpartition(":")[2])
            asked(port, f"/v1/{endpoint}:predict", body, count, figures, "through the emulator")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--connections", type=int, default=8)
    given = parser.parse_args()
    figures: Figures = defaultdict(list)
    for _ in range(given.rounds):
        with tempfile.TemporaryDirectory() as folder:
            measure(Path(folder), given.connections, figures)
    for what, values in figures.items():
        direct = figures.get(what.replace("through the emulator", "direct"), [])
        ratio = statistics.median(values) / statistics.median(direct) if "through" in what else None
        print(f"{what:55}{statistics.median(values):12.2f}" + (f"   {ratio:.2f} of direct" if ratio else ""))


if __name__ == "__main__":
    main()
