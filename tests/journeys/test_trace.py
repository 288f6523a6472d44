"""One trace leads from a dropped file to the model that serves, across five functions and Pub/Sub."""

import json
import subprocess
import sys
from pathlib import Path

from dropforge.contracts import places
from dropforge.gcp.tracing import Context
from tests.journeys.conftest import Deployment
from tests.journeys.running import REPO

DATA = REPO / "examples" / "flights" / "data"


def test_one_trace_id_leads_from_the_drop_to_the_publication(deployment: Deployment, tmp_path: Path) -> None:
    """Known by the file's generation alone; in the spans, and in the lines that Cloud Logging reads."""
    files = sorted(DATA.glob("flights-2013-01-*.csv.gz"))
    for path in files:
        deployment.verdict(deployment.drop(path.name, path))
    state = deployment.services.state
    deployment.wait(lambda: any(True for _ in state.list(places.history("flights"))), "a served model", 240)
    deployment.quiet()

    home = ["--home", str(deployment.home)]
    traces = {path.name: json.loads(door("trace", "flights", path.name, "--json", *home)) for path in files}
    name, whole = next((name, found) for name, found in traces.items() if "publish" in steps(found["spans"]))
    assert steps(whole["spans"])[:5] == ["ingest", "validate", "train", "publish", "materialize"]
    assert [span["depth"] for span in whole["spans"] if span["name"] in ("ingest", "train", "publish")] == [0, 2, 3]
    info = deployment.services.landing.stat(f"flights/{name}")
    assert (
        whole["trace_id"] == Context.of_object(deployment.settings.landing_bucket, info.name, info.generation).trace_id
    )
    logs = (deployment.home / "state" / "router").rglob("publish.log")
    assert any(whole["trace_id"] in log.read_text() for log in logs)

    page = tmp_path / "trace.html"
    door("trace", "flights", name, "--page", str(page), *home)
    assert page.read_text().count('class="row"') == len(whole["spans"])


def steps(spans: list[dict[str, object]]) -> list[object]:
    """The functions in the order in which one led to the other, but monitor, which goes beside."""
    return [span["name"] for span in spans if span["name"] != "monitor"]


def door(*arguments: str) -> str:
    """A command, as `./deploy.sh` runs it."""
    command = [sys.executable, "-m", "infra", *arguments]
    env = {"PYTHONPATH": f"{REPO}:{REPO / 'shared'}", "PATH": "/usr/bin:/bin"}
    return subprocess.run(command, cwd=REPO, env=env, check=True, capture_output=True, text=True, timeout=60).stdout
