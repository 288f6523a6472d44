"""How often the judge lets a slow server through: `python -m tests.benchmarks.slow_servers [--repeats 200]`.

Servers are real processes that work for a while before they answer by HTTP; champion and challenger are asked in turn,
as a publication does it. The rest of the judge, which sees probabilities only, is measured by `saboteurs`.

Aims: a server that takes three times as long passes in less than 1 % of the repeats, one that is as fast is refused in
at most 5 %.
"""

import argparse
import http.client
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer

import pyarrow as pa

from dropforge.contracts.models import Candidate, Champion
from dropforge.contracts.pipeline.deployment import Deployment
from dropforge.core.ports import Deployed
from dropforge.core.twins import MemoryPlatform
from dropforge.ml import limits
from emulators.ports import free_port
from tests.functions.trained import trained

CHAMPION = 1.0  # milliseconds of work
CHALLENGERS = {"as fast": 1.0, "half as much work again": 1.5, "slow, three times the work": 3.0, "ten times": 10.0}
AT_MOST = 1.5  # times the champion's time; HTTP takes a part of it, so twice the work is not twice the time


class Works(BaseHTTPRequestHandler):
    """Works for the milliseconds that its process was given, then answers."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        """Busy, not asleep: as a model is."""
        self.rfile.read(int(self.headers["content-length"]))
        until = time.perf_counter() + float(os.environ["WORK_MS"]) / 1000
        while time.perf_counter() < until:
            pass
        self.send_response(200)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@dataclass
class Servers(MemoryPlatform):
    """A platform whose versions are real servers: version -> port."""

    ports: dict[str, int] | None = None

    def timed(self, deployed: Deployed, instances: list[dict[str, object]]) -> list[float]:
        """As `Platform.timed`, over one connection."""
        connection = http.client.HTTPConnection("127.0.0.1", (self.ports or {})[deployed.version])
        seconds = []
        for _ in instances:
            began = time.perf_counter()
            connection.request("POST", "/", b"{}")
            connection.getresponse().read()
            seconds.append(time.perf_counter() - began)
        connection.close()
        return seconds


@contextmanager
def server(milliseconds: float) -> Iterator[int]:
    """A server process; yields its port once it answers."""
    port = free_port()
    command = [sys.executable, "-m", "tests.benchmarks.slow_servers", "--serve", str(port)]
    process = subprocess.Popen(command, env={**os.environ, "WORK_MS": str(milliseconds)})
    until = time.monotonic() + 30
    try:
        while True:
            try:
                connection = http.client.HTTPConnection("127.0.0.1", port)
                connection.request("POST", "/", b"{}")
                connection.getresponse().read()
                break
            except ConnectionRefusedError:
                assert process.poll() is None and time.monotonic() < until
                time.sleep(0.05)
            finally:
                connection.close()
        yield port
    finally:
        process.terminate()
        process.wait(timeout=10)


def passed(port: int, champion: int, repeats: int) -> float:
    """The share of repeats in which nothing stands against the challenger's speed."""
    platform = Servers(lambda _, __: [], ports={"1": champion, "2": port})
    candidate: Candidate = trained().candidate
    now = Champion(
        pipeline="flights",
        candidate_id="before",
        version="1",
        model="m",
        endpoint="e",
        deployed_model_id="1",
        artefact_sha256="",
        trained_until="",
        published="",
        published_by="",
    )
    challenger = Deployed("m", "2", "e", "2")
    rows = pa.table({field.name: [None] * 60 for field in candidate.signature})
    rules = Deployment(max_slowdown=AT_MOST)
    found = [
        any(bad for _, bad in limits.slow(rules, candidate, challenger, now, rows, platform)) for _ in range(repeats)
    ]
    return 1 - sum(found) / repeats


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=200)
    parser.add_argument("--serve", type=int)
    given = parser.parse_args()
    if given.serve:
        HTTPServer(("127.0.0.1", given.serve), Works).serve_forever()
    print(f"| challenger's server | published, at `max_slowdown: {AT_MOST}` |\n|---|---|")
    with ExitStack() as stack:
        champion = stack.enter_context(server(CHAMPION))
        for name, milliseconds in CHALLENGERS.items():
            with server(milliseconds) as port:
                print(f"| {name} | {passed(port, champion, given.repeats):.1%} |", flush=True)


if __name__ == "__main__":
    main()
