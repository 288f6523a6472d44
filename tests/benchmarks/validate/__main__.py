"""Profile and judge a million flights beside DuckDB's bare SUMMARIZE, Great Expectations, pandera and Evidently.

    PYTHONPATH=.:shared python -m tests.benchmarks.validate [--rows 1000000] [--rounds 3] [--slope ROWS,ROWS]

Each contestant runs in a process of its own, one after the other, over the same Parquet file of text. The peers live in
an environment of their own, `.dropforge/validate-peers`, which the first run makes from `requirements.txt` beside this
file. `--slope` measures Dropforge and the bare pass alone, at several sizes, in seconds of the processor, which other
work on the machine moves less.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from tests.benchmarks.validate.contest import CONTESTANTS, timed, write
from tests.benchmarks.validate.peers import PEERS

HERE = Path(__file__).parent
PEERS_HOME = HERE.parents[2] / ".dropforge" / "validate-peers"
Figures = dict[str, float]


def main() -> None:
    """Measure each, and print a table with ratios to the bare pass."""
    parser = argparse.ArgumentParser(description="Measure what profiling and judging cost.")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument(
        "--rounds", type=int, default=3, help="of which the median is told; peers run in the first only"
    )
    parser.add_argument("--slope", metavar="ROWS", help="such as 100000,1000000,10000000")
    parser.add_argument("--contestant", help=argparse.SUPPRESS)
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.contestant:
        print(timed(CONTESTANTS[given.contestant], given.file))
    elif given.slope:
        _slope([int(rows) for rows in given.slope.split(",")], given.rounds)
    else:
        _beside_peers(given.rows, given.rounds)


def _beside_peers(rows: int, rounds: int) -> None:
    found: dict[str, list[Figures]] = {}
    with tempfile.TemporaryDirectory(prefix="dropforge-validate-") as folder:
        path = Path(folder) / "rows.parquet"
        write(path, rows)
        for turn in range(rounds):
            for name in CONTESTANTS:
                found.setdefault(name, []).append(_ours(name, path))
            if turn == 0:
                for name in PEERS:
                    peer = _peer(name, path)
                    found |= {name: [peer]} if peer else {}
    bare = found["DuckDB's bare SUMMARIZE"]
    print(
        f"| {rows:,} rows x 20 columns | seconds | times the bare pass | CPU seconds | times the bare pass | peak MB |"
    )
    print("|---" * 6 + "|")
    for name, figures in found.items():
        cells = [name]
        for measured in ("seconds", "cpu_seconds"):
            took, least = (median(one[measured] for one in these) for these in (figures, bare))
            cells += [f"{took:.2f}", f"{took / least:.1f}"]
        print(f"| {' | '.join(cells)} | {max(one['peak_mb'] for one in figures):,.0f} |")


def _slope(sizes: list[int], rounds: int) -> None:
    print("| rows | " + " | ".join(f"{name}, CPU µs a row | peak MB" for name in CONTESTANTS) + " |")
    print("|---" * (1 + 2 * len(CONTESTANTS)) + "|")
    for rows in sizes:
        with tempfile.TemporaryDirectory(prefix="dropforge-validate-") as folder:
            path = Path(folder) / "rows.parquet"
            write(path, rows)
            cells = []
            for name in CONTESTANTS:
                figures = [_ours(name, path) for _ in range(rounds)]
                cells.append(f"{median(one['cpu_seconds'] for one in figures) / rows * 1e6:.2f}")
                cells.append(f"{max(one['peak_mb'] for one in figures):,.0f}")
            print(f"| {rows:,} | {' | '.join(cells)} |", flush=True)


def _ours(name: str, path: Path) -> Figures:
    return _run([sys.executable, "-m", "tests.benchmarks.validate", "--contestant", name, "--file", str(path)])


def _peer(name: str, path: Path) -> Figures | None:
    """A peer that cannot be installed here is left out, and said so."""
    python = PEERS_HOME / "bin" / "python"
    try:
        if not python.exists():
            subprocess.run([sys.executable, "-m", "venv", str(PEERS_HOME)], check=True)
            subprocess.run(
                [str(python), "-m", "pip", "install", "-q", "-r", str(HERE / "requirements.txt")], check=True
            )
        return _run([str(python), str(HERE / "peers.py"), name, str(path)])
    except subprocess.CalledProcessError as error:
        print(f"{name} is left out: {(error.stderr or str(error)).strip().splitlines()[-1]}", file=sys.stderr)
        return None


def _run(command: list[str]) -> Figures:
    done = subprocess.run(command, capture_output=True, text=True, timeout=1800, check=True)
    figures: Figures = json.loads(done.stdout.strip().splitlines()[-1])
    return figures


if __name__ == "__main__":
    main()
