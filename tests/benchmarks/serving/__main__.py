"""How fast predictions are answered, as a share of what a constant through the same framework gives, in one run.

    python -m tests.benchmarks.serving [--seconds 3] [--rounds 3] [--peers PYTHON]

Every server is one process (or as many as it starts by itself); the load comes from another. Each round visits every
server, and the medians of the rounds count, so that what else the machine does falls on all alike. Absolute figures are
this machine's, the ratios travel. `--peers` is the Python of the environment that `requirements.txt` makes:

    uv venv .dropforge/serving-peers
    uv pip install --python .dropforge/serving-peers -r tests/benchmarks/serving/requirements.txt
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from tests.benchmarks.serving.servers import Servers, Started
from tests.emulators.launch import Emulator

LOAD = Path(__file__).parent.with_name("closed_loop.py")
SHAPES = [(1, 1), (1, 8), (1, 32), (32, 8), (1000, 1)]  # instances, connections

Figures = dict[str, list[float]]  # "1x8 rate" -> one for each round


def measure(servers: Servers, name: str, seconds: float, into: Figures) -> None:
    """One round of one server, each shape for so many seconds."""
    with servers.running(name) as started:
        into.setdefault("cold", []).append(started.cold)
        _load(servers, started, 1, 8, 0.5)
        for instances, connections in SHAPES:
            if name == "constant" and instances > 1:
                continue
            for what, value in _load(servers, started, instances, connections, seconds).items():
                into.setdefault(f"{instances}x{connections} {what}", []).append(value)


def _load(servers: Servers, started: Started, instances: int, connections: int, seconds: float) -> dict[str, float]:
    body = servers.body(started.form, instances)
    command = [sys.executable, str(LOAD), str(started.port), started.path, str(body), str(connections), str(seconds)]
    found: dict[str, float] = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    return found


def told(name: str, found: dict[str, float], bound: dict[str, float]) -> str:
    """A line of the table."""
    cells = [f"{found['cold']:.1f}", f"{found['1x8 rate'] / bound['1x8 rate']:.2f}"]
    for instances, connections in SHAPES:
        shape = f"{instances}x{connections}"
        if f"{shape} rate" in found:
            rate, slow = found[f"{shape} rate"] * instances, found[f"{shape} p99_ms"]
            cells.append(f"{rate:,.0f}, p99 {slow:.1f} ms")
    return f"| {name} | " + " | ".join(cells) + " |"


def main() -> None:
    """Measure, print the table, and then everything as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peers", type=Path)
    given = parser.parse_args()
    found: dict[str, Figures] = {}
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        storage = stack.enter_context(Emulator("storage", scratch / "storage.log"))
        pubsub = stack.enter_context(Emulator("pubsub", scratch / "pubsub.log"))
        servers = Servers(scratch, storage, pubsub, given.peers and given.peers.absolute())
        for _ in range(given.rounds):
            for name in servers.names():
                measure(servers, name, given.seconds, found.setdefault(name, {}))
    medians = {name: {what: median(values) for what, values in each.items()} for name, each in found.items()}
    shapes = [f"{instances} row{'s' * (instances > 1)}, {connections} conn." for instances, connections in SHAPES]
    print("| rows a second | first answer (s) | of the constant | " + " | ".join(shapes) + " |")
    for name, each in medians.items():
        print(told(name, each, medians["constant"]))
    print(f"load {os.getloadavg()}")
    print(json.dumps(found))


if __name__ == "__main__":
    main()
