"""What a function imports before its first event: seconds that everybody waits for after a quiet hour."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

REPO = Path(__file__).parents[2]
SHOW = "import json, sys; import main; print(json.dumps(sorted(sys.modules)))"
HEAVY = ("google.cloud.bigquery", "google.cloud.aiplatform", "google.cloud.storage", "google.cloud.pubsub_v1")


# What `validate` learns of how columns hang together it reckons by NumPy, a tenth of a second of its start.
@pytest.mark.parametrize(("function", "spared"), [("ingest", {"numpy"}), ("validate", set[str]())])
def test_data_functions_import_no_client_and_no_large_library_at_start(function: str, spared: set[str]) -> None:
    """Clients come with the first use of a service, so that a function never loads one that it does not need."""
    done = subprocess.run(
        [sys.executable, "-c", SHOW],
        cwd=REPO / "functions" / function,
        env={"PYTHONPATH": str(REPO / "shared"), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        check=True,
        text=True,
    )
    loaded = json.loads(done.stdout)
    assert "duckdb" in loaded
    assert [name for name in (*HEAVY, "pyarrow", "pandas", "sklearn", *spared) if name in loaded] == []
