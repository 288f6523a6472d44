"""Memory does not grow with the file: measured in a process of its own, as the kernel counts it."""

import gzip
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

REPO = Path(__file__).parents[3]
ROW = b"1001,%d,a name that repeats,12.5,2013-01-01T10:00:00Z,some more text to fill the line\n"
READ = r"""
import re, sys
from pathlib import Path
from dropforge.core.reading import read
folder = Path(sys.argv[2])
found = read(Path(sys.argv[1]), ["id", "n"], folder / "rows.parquet", folder / "rejects.parquet", folder)
problem = found.problem.fields["code"] if found.problem else "none"
# Not getrusage: its peak is inherited from the process that forked this one.
peak = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
print(found.rows, found.rejected, problem, int(peak[1]) // 1024)
"""


def read_alone(path: Path, folder: Path) -> tuple[int, int, str, int]:
    """Rows, rejects, problem and peak memory in MiB of reading `path` in a fresh process."""
    done = subprocess.run(
        [sys.executable, "-c", READ, str(path), str(folder)],
        env={"PYTHONPATH": str(REPO / "shared")},
        capture_output=True,
        check=True,
        text=True,
    )
    rows, rejected, problem, peak = done.stdout.split()
    return int(rows), int(rejected), problem, int(peak)


def table(path: Path, rows: int) -> Path:
    """A CSV file of so many rows."""
    block = b"".join(ROW % n for n in range(10_000))
    with path.open("wb") as file:
        file.write(b"id,n,name,amount,at,text\n")
        file.writelines(block for _ in range(rows // 10_000))
    return path


def long_line(mebibytes: int) -> Iterator[bytes]:
    """A table whose second row is one line of so many MiB."""
    yield b"id,n\n1,2\n2,"
    for _ in range(mebibytes):
        yield b"x" * (1 << 20)
    yield b"\n3,4\n"


def test_a_line_of_64_mib_is_rejected_in_little_memory(tmp_path: Path) -> None:
    """It is passed over in chunks, and the lines around it are read."""
    path = tmp_path / "line.csv"
    with path.open("wb") as file:
        file.writelines(long_line(64))
    rows, rejected, problem, peak = read_alone(path, tmp_path)
    assert (rows, rejected, problem) == (2, 1, "none")
    assert peak < 150


@pytest.mark.heavy
def test_reading_stays_below_512_mib_whatever_the_size(tmp_path: Path) -> None:
    """2 GB of rows: the smallest function that is offered for this has 512 MiB."""
    rows, _, _, peak = read_alone(table(tmp_path / "large.csv", 20_000_000), tmp_path)
    assert rows == 20_000_000
    assert peak < 512


@pytest.mark.heavy
def test_a_gzip_bomb_ends_in_a_verdict(tmp_path: Path) -> None:
    """A megabyte that would become a gigabyte is stopped before it does."""
    path = tmp_path / "bomb.gz"
    with gzip.open(path, "wb", compresslevel=9) as file:
        file.write(b"id,n\n")
        file.writelines(b"1,1\n" * 250_000 for _ in range(1000))
    rows, _, problem, peak = read_alone(path, tmp_path)
    assert (rows, problem) == (0, "expands_too_much")
    assert peak < 512


@pytest.mark.heavy
def test_values_too_large_to_hold_end_in_a_verdict(tmp_path: Path) -> None:
    """DuckDB writes no row group that does not fit; that is the file's problem, and no reason to try it again."""
    path = tmp_path / "fat.csv"
    with path.open("wb") as file:
        file.write(b"id,n\n")
        file.writelines(b"%d,%b\n" % (n, b"x" * 1_000_000) for n in range(400))
    rows, _, problem, peak = read_alone(path, tmp_path)
    assert (rows, problem) == (0, "too_wide")
    assert peak < 512


def test_a_thousand_columns_are_read(tmp_path: Path) -> None:
    """More than anyone sends; row groups become shorter as rows become wider."""
    path = tmp_path / "wide.csv"
    row = b",".join(b"%d" % n for n in range(1000))
    path.write_bytes(b",".join(b"c%d" % n for n in range(1000)) + b"\n" + (row + b"\n") * 3000)
    rows, _, problem, peak = read_alone(path, tmp_path)
    assert (rows, problem) == (3000, "none")
    assert peak < 512
