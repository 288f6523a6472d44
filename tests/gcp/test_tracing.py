"""Trace context goes with every message, recorded or not; spans become lines, or OTLP."""

import json
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from dropforge.gcp import tracing
from dropforge.gcp.tracing import Context

REPO = Path(__file__).parents[2]
TWO = """
from dropforge.gcp import tracing
root = tracing.Context.of_object("landing", "flights/a.csv", 7)
with tracing.span("ingest", root, pipeline="flights"):
    told = tracing.Context.read(tracing.attributes()[tracing.ATTRIBUTE])
try:
    with tracing.span("validate", told):
        raise ValueError("no")
except ValueError:
    pass
"""

STOPPED = """
from dropforge.contracts.errors import FileUnreadable
from dropforge.core.twins import MemoryTopics
from dropforge.gcp import edge
class Event(dict):
    data = None
edge.services().topics = MemoryTopics()
for stops in (True, False):
    with edge.delivery("ingest", Event(id="1")):
        if stops:
            raise FileUnreadable("Expected a table. Found a picture.")
"""


def run(traces: str, code: str = TWO) -> None:
    """Two spans in a process of its own, which records them as it is told."""
    env = {"PYTHONPATH": str(REPO / "shared"), "DROPFORGE_TRACES": traces, "K_SERVICE": "ingest"}
    env["GOOGLE_CLOUD_PROJECT"] = "test-project"
    subprocess.run([sys.executable, "-c", code], env=env, check=True, timeout=60)


def test_spans_are_lines_of_one_trace_each_below_the_one_that_led_to_it(tmp_path: Path) -> None:
    """What `./deploy.sh trace` draws."""
    run(f"file:{tmp_path}")
    ingest, validate = (json.loads(line) for line in (tmp_path / "ingest.jsonl").read_text().splitlines())
    root = Context.of_object("landing", "flights/a.csv", 7)
    assert {ingest["trace_id"], validate["trace_id"]} == {root.trace_id}
    assert (ingest["parent_span_id"], validate["parent_span_id"]) == (root.span_id, ingest["span_id"])
    assert (ingest["status"], validate["status"]) == ("unset", "error")
    assert ingest["attributes"] == {"dropforge.pipeline": "flights"}


def test_a_delivery_that_is_given_up_is_drawn_as_failed(tmp_path: Path) -> None:
    """It is acknowledged, so no error leaves it; but it is where the file stopped, which the drawing is for."""
    run(f"file:{tmp_path}", STOPPED)
    stopped, done = (json.loads(line) for line in (tmp_path / "ingest.jsonl").read_text().splitlines())
    assert (stopped["status"], done["status"]) == ("error", "unset")


def test_a_collector_takes_them_by_otlp() -> None:
    """Google's own endpoint does, and any other collector."""
    posted: list[tuple[str, bytes]] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            posted.append((self.path, self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Collector) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        run(f"http://127.0.0.1:{server.server_port}/v1/traces")
        server.shutdown()
    assert [path for path, _ in posted] == ["/v1/traces"] * 2
    assert bytes.fromhex(Context.of_object("landing", "flights/a.csv", 7).trace_id) in posted[0][1]


def test_where_nothing_is_recorded_ids_go_on_and_opentelemetry_is_not_imported() -> None:
    """A third of a second of every cold start, for those who want no traces."""
    code = TWO + "\nimport sys; assert not [name for name in sys.modules if name.startswith('opentelemetry')]"
    subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": str(REPO / "shared")}, check=True, timeout=60)


@pytest.mark.parametrize(
    "wrong", [None, "", "00-1-2-01", f"00-{'0' * 32}-{'b' * 16}-01", f"00-{'x' * 32}-{'b' * 16}-01"]
)
def test_what_is_no_trace_context_begins_a_new_trace(wrong: str | None) -> None:
    """A caller's nonsense must not fail a delivery."""
    assert Context.read(wrong) is None
    assert tracing.attributes() == {}
