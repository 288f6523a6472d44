"""Cold start of each function beside a bare one of functions-framework: from its process's start to its first answer.

    python -m tests.benchmarks.serving.cold [--rounds 3]

Each bundle is started as the function host starts it, compiled, from a warm disk cache, with no service to talk to; the
first answer is that to a request for nothing, so that what counts is imports and set-up. Every round starts all of them
in turn, and the least counts, for other work only ever adds. A bare function is of the same kind (ASGI or CloudEvents),
and does nothing. Beside the seconds on the clock stand those of a processor, which a busy machine changes less.
"""

import argparse
import compileall
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from http.client import HTTPConnection
from pathlib import Path

from functions import flow
from functions.build import REPO, build

LAUNCHER = REPO / "emulators" / "router" / "serve_function.py"
BARE = {
    "bare, ASGI": (
        "import functions_framework.aio\n\n\n@functions_framework.aio.http\nasync def bare(request):\n    return 'ok'\n"
    ),
    "bare, CloudEvents": (
        "import functions_framework\n\n\n@functions_framework.cloud_event\ndef bare(event):\n    return None\n"
    ),
}


def started(folder: Path, entry_point: str, asgi: bool) -> tuple[float, float]:
    """Seconds from the start of a function's process to its first answer, whatever that is: by the clock, and those
    that its processor worked."""
    ready, written = os.pipe()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        environment = {
            "PATH": os.defpath,
            "HOME": str(Path.home()),
            "FUNCTION_TARGET": entry_point,
            "FUNCTION_USE_ASGI": str(asgi).lower(),
            "FUNCTION_SIGNATURE_TYPE": "http" if asgi else "cloudevent",
            "GOOGLE_CLOUD_PROJECT": "cold",
            "STORAGE_EMULATOR_HOST": "http://127.0.0.1:1",
            "PUBSUB_EMULATOR_HOST": "127.0.0.1:1",
            "DROPFORGE_VERTEX_API": "http://127.0.0.1:1",
        }
        command = [sys.executable, "-P", str(LAUNCHER), str(listener.fileno()), str(written)]
        began = time.perf_counter()
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            pass_fds=(listener.fileno(), written),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(written)
        try:
            if not os.read(ready, 1):
                raise ChildProcessError(f"The function in {folder} does not start.")
            connection = HTTPConnection("127.0.0.1", listener.getsockname()[1], timeout=60)
            connection.request("GET", "/v1/healthz")
            connection.getresponse().read()
            connection.close()
            seconds = time.perf_counter() - began
        finally:
            os.close(ready)
            process.send_signal(signal.SIGKILL)
            _, process.returncode, usage = os.wait4(process.pid, 0)
        return seconds, usage.ru_utime + usage.ru_stime


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    functions = flow.read().functions
    with tempfile.TemporaryDirectory() as scratch:
        build(list(functions), out=Path(scratch))
        for name, source in BARE.items():
            folder = Path(scratch) / name
            folder.mkdir()
            (folder / "main.py").write_text(source)
        compileall.compile_dir(scratch, quiet=1)
        contests = {name: (name, "bare", name.endswith("ASGI")) for name in BARE}
        contests |= {name: (name, each.entry_point, each.asgi) for name, each in functions.items()}
        found: dict[str, list[tuple[float, float]]] = {}
        for _ in range(given.rounds):
            for name, (folder_name, entry_point, asgi) in contests.items():
                found.setdefault(name, []).append(started(Path(scratch) / folder_name, entry_point, asgi))
    least = {name: [min(values) for values in zip(*rounds, strict=True)] for name, rounds in found.items()}
    print("| function | seconds | times a bare one | of a processor | times a bare one |")
    for name, (_, _, asgi) in contests.items():
        bare = least["bare, ASGI" if asgi else "bare, CloudEvents"]
        (clock, work), (bare_clock, bare_work) = least[name], bare
        print(f"| {name} | {clock:.2f} | {clock / bare_clock:.2f} | {work:.2f} | {work / bare_work:.2f} |")
    print(f"load {os.getloadavg()}")
    print(json.dumps(found))


if __name__ == "__main__":
    main()
