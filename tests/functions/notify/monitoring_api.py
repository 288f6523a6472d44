"""As much of Cloud Monitoring's REST interface as writing a point needs, and as strict: a real server on loopback."""

import json
import re
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PATH = re.compile(r"/v3/projects/[a-z0-9-]+/timeSeries")
TOO_SOON = "One or more points were written more frequently than the maximum sampling period configured for the metric."


class MonitoringApi(ThreadingHTTPServer):
    """Keeps what is written, and refuses with Google's form of an error what Google would; tokens where asked for.

    `period`: how far two points of one series must be apart; Google's is five seconds.
    """

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Api)
        self.points: list[tuple[dict[str, str], int]] = []  # the labels, the value
        self.newest: dict[str, datetime] = {}
        self.period = timedelta(0)
        self.token: str | None = None
        self.granted = True

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_port}"

    def write(self, body: dict[str, Any]) -> str:
        """Take one series with one point; returns what is wrong with it, or nothing."""
        (series,) = body.pop("timeSeries")
        (point,) = series.pop("points")
        assert body == {}
        metric, resource = series.pop("metric"), series.pop("resource")
        assert series == {"metricKind": "GAUGE", "valueType": "INT64"}
        assert metric["type"].startswith("custom.googleapis.com/")
        assert resource["type"] == "global"
        assert set(resource["labels"]) == {"project_id"}
        assert all(isinstance(value, str) and len(value) <= 1024 for value in metric["labels"].values())
        ends = datetime.fromisoformat(point["interval"]["endTime"])
        assert ends.tzinfo is not None
        name = json.dumps(metric, sort_keys=True)
        before = self.newest.get(name)
        if before is not None and ends - before < self.period:
            return TOO_SOON
        self.newest[name] = ends
        self.points.append((metric["labels"], int(point["value"]["int64Value"])))
        return ""


class _Api(BaseHTTPRequestHandler):
    server: MonitoringApi

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/token":  # where a service account's key says that tokens are given
            self.server.token = "given-here"
            self._say(200, {"access_token": self.server.token, "expires_in": 3600, "token_type": "Bearer"})
        elif not PATH.fullmatch(self.path):
            self._refuse(404, "NOT_FOUND", "Requested entity was not found.")
        elif self.server.token and self.headers["Authorization"] != f"Bearer {self.server.token}":
            self._refuse(401, "UNAUTHENTICATED", "Request had invalid authentication credentials.")
        elif not self.server.granted:
            self._refuse(403, "PERMISSION_DENIED", "Permission monitoring.timeSeries.create denied.")
        elif wrong := self.server.write(json.loads(content)):
            self._refuse(400, "INVALID_ARGUMENT", f"One or more TimeSeries could not be written: {wrong}")
        else:
            self._say(200, {})

    def _refuse(self, code: int, status: str, message: str) -> None:
        self._say(code, {"error": {"code": code, "message": message, "status": status}})

    def _say(self, code: int, body: dict[str, Any]) -> None:
        content = json.dumps(body).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Nothing: the test says what matters."""
