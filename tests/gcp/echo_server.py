"""The least model server: it answers every instance with the candidate that its environment names."""

import json
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Echo(BaseHTTPRequestHandler):
    """GET is health, POST is predict."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        """Healthy."""
        self._answer({})

    def do_POST(self) -> None:
        """One answer for each instance."""
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self._answer({"predictions": [{"candidate": os.environ["DROPFORGE_CANDIDATE"]} for _ in body["instances"]]})

    def _answer(self, answer: object) -> None:
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(os.environ["AIP_HTTP_PORT"])), Echo).serve_forever()
