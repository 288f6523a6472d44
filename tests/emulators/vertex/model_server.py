"""A tiny model server under Vertex AI's container contract; the emulator's tests deploy it.

It answers with what it was told by its environment, and does what the instances ask of it.
"""

import json
import os
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Handler(BaseHTTPRequestHandler):
    """GET health, POST predict."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        """Healthy once asked at the right place."""
        self._answer(200 if self.path == os.environ["AIP_HEALTH_ROUTE"] else 404, b"{}")

    def do_POST(self) -> None:
        """Predict, or misbehave as asked."""
        raw = self.rfile.read(int(self.headers["content-length"]))
        if self.path != os.environ["AIP_PREDICT_ROUTE"]:
            self._answer(404, b"wrong route")
        elif self.headers["content-type"] != "application/json":
            self._answer(200, raw[::-1], "text/plain")
        else:
            self._answer(*predict(json.loads(raw)))

    def _answer(self, status: int, body: bytes, kind: str = "application/json") -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def predict(request: dict[str, object]) -> tuple[int, bytes]:
    """Status and body of the answer."""
    instances = request["instances"]
    assert isinstance(instances, list)
    first = instances[0] if instances and isinstance(instances[0], dict) else {}
    if "exit" in first:
        os._exit(int(first["exit"]))
    if "sleep" in first:
        time.sleep(first["sleep"])
    if "spin" in first:
        began = time.thread_time()
        while time.thread_time() < began + first["spin"]:
            pass
    if "status" in first:
        return first["status"], b'{"detail": "as asked"}'
    if "garbage" in first:
        return 200, b"<html>"
    if os.environ.get("TEST_MODEL") == "sums":
        return 200, json.dumps({"predictions": [sums(instance) for instance in instances]}).encode()
    about = {name: value for name, value in os.environ.items() if name.startswith(("AIP_", "TEST_", "STORAGE_"))}
    answers = [{"pid": os.getpid(), "instance": instance, "environment": about} for instance in instances]
    return 200, json.dumps({"predictions": answers}).encode()


def sums(instance: dict[str, Any]) -> dict[str, Any]:
    """A model whose Shapley values are known: `a` and `b` share their product, all else adds up."""
    score = 2 * instance["a"] + instance["a"] * instance["b"] + sum(instance.get("list", []))
    score += {"EWR": 7, "": 0}[instance.get("origin", "")]
    return {"score": score, "classes": [score, -score, 0], "names": ["late", "early", "other"]}


def main() -> None:
    """Serve, unless told to fail."""
    print("starting", sys.argv, flush=True)
    if os.environ.get("TEST_FAIL") == "exit":
        sys.exit("the artefact cannot be read")
    if os.environ.get("TEST_FAIL") == "hang":
        time.sleep(60)
    ThreadingHTTPServer(("127.0.0.1", int(os.environ["AIP_HTTP_PORT"])), Handler).serve_forever()


if __name__ == "__main__":
    main()
