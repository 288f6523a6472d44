"""`./deploy.sh test`: lint, types, then the tests; the first failure's exit code is the command's."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def main(arguments: list[str]) -> int:
    """Run the linters and pytest; arguments go to pytest, and then only pytest runs."""
    tools = Path(sys.executable).parent
    steps: list[tuple[str, list[str]]] = []
    if not arguments:
        steps = [
            ("lint", [str(tools / "ruff"), "check", "."]),
            ("format", [str(tools / "ruff"), "format", "--check", "--quiet", "."]),
            ("types", [str(tools / "mypy")]),
        ]
    steps.append(("tests", [sys.executable, "-m", "pytest", *arguments]))
    for name, command in steps:
        print(f"== {name}", flush=True)
        status = subprocess.run(command, cwd=ROOT, env={**os.environ, "PYTHONWARNINGS": ""}, check=False).returncode
        if status:
            print(f"== {name} failed", flush=True)
            return status
    return 0
