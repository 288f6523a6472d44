"""What a person or a test asks the router, and the mistakes of who sets it up."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from functions.build import REPO
from tests.emulators.router.bench import Bench
from tests.waiting import until


def test_health_counts_functions_and_instances(bench: Bench) -> None:
    """And says that nothing is wired, for this router was given no Pub/Sub."""
    bench.push("work", "jobs", "ok")
    told = bench.control("GET", "/health").json()
    assert (told["emulator"], told["functions"]) == ("router", 7)
    assert told["instances"] >= 1
    assert told["wired"] == {"pubsub": False, "storage": False}


def test_reset_ends_instances_and_forgets_counts_and_faults(bench: Bench) -> None:
    """Each test may start from nothing without a new process."""
    bench.push("work", "jobs", "fail")
    fault = bench.fault("work", "drop")
    bench.control("POST", "/reset").raise_for_status()
    told = bench.function("work")
    assert (told["instances"], told["deliveries"], told["failures"], told["last_error"]) == ([], 0, 0, None)
    assert bench.control("GET", f"/faults/{fault}").status_code == 404
    assert bench.push("work", "jobs", "ok")[1] == 200


def test_nothing_can_be_seeded(bench: Bench) -> None:
    """The flow says everything."""
    assert bench.control("POST", "/seed", {"functions": []}).status_code == 400


def test_missing_bundle_is_told_with_the_command_that_makes_it(dist: Path, sample_repo: Path, tmp_path: Path) -> None:
    """The commonest first mistake."""
    some = shutil.copytree(dist, tmp_path / "dist")
    shutil.rmtree(some / "work")
    with Bench(some, sample_repo, tmp_path, DROPFORGE_WARM="all") as bench:
        until(lambda: bench.function("work")["last_error"] is not None)
        assert bench.push("work", "jobs", "ok")[1] == 503
        assert "python -m functions.build" in bench.function("work")["last_error"]["message"]


def test_flow_with_a_mistake_ends_the_router_with_one_sentence(tmp_path: Path) -> None:
    """No traceback for a typing error."""
    path = tmp_path / "flow.yaml"
    path.write_text("bucket: {}\n")
    command = [sys.executable, "-m", "emulators", "router"]
    environment = {**os.environ, "DROPFORGE_FLOW": str(path)}
    told = subprocess.run(command, cwd=REPO, env=environment, capture_output=True, text=True, check=False)
    assert told.returncode == 1
    assert told.stderr.startswith(f"{path}: ")
    assert "bucket: this key is not known. Did you mean 'buckets'?" in told.stderr
