"""`python -m tests.benchmarks.confidence --nannyml PYTHON`: what is estimated without labels, beside NannyML's CBPE.

Seeded streams of 40 chunks of 2,000 answers. The share of rows that are hard to tell goes from 30 % to 80 %, while
probabilities, which are too sure of themselves, keep their meaning. Both are calibrated on the same 20,000 earlier
rows, and estimate each chunk's accuracy and ranking; then the labels are looked at. `PYTHON` is one of an environment
with confidence.requirements.txt and Python 3.12; both see the same Parquet files.
"""

import argparse
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from dropforge.ml import score
from dropforge.ml.confidence import Calibrated, estimate
from tests.ml.test_confidence import Rows, rows

CHUNKS, SIZE, EARLIER = 40, 2_000, 20_000
PEER = """
import sys, warnings
warnings.filterwarnings("ignore")
import nannyml, pandas
earlier, later = (pandas.read_parquet(f"{sys.argv[1]}/{name}.parquet") for name in ("earlier", "later"))
made = nannyml.CBPE(
    y_true="label", y_pred="answer", y_pred_proba="given", problem_type="classification_binary",
    metrics=["accuracy", "roc_auc"], chunk_size=int(sys.argv[2]),
).fit(earlier)
found = made.estimate(later.drop(columns="label")).filter(period="analysis").to_df()
pandas.DataFrame({m: found[(m, "value")] for m in ("accuracy", "roc_auc")}).to_parquet(f"{sys.argv[1]}/found.parquet")
"""

Measured = NDArray[np.float64]  # accuracy and ranking of each chunk, shape (CHUNKS, 2)


def stream(seed: int) -> tuple[Rows, list[Rows]]:
    """Labelled rows to calibrate on, and the chunks that follow."""
    return rows(seed, EARLIER), [rows(seed + 1 + n, SIZE, 0.3 + 0.5 * n / (CHUNKS - 1)) for n in range(CHUNKS)]


def ours(earlier: Rows, later: list[Rows]) -> Measured:
    """Our estimates."""
    meaning = Calibrated(*earlier)
    found = [estimate(meaning, given) for _, given in later]
    return np.array([[each.accuracy, each.roc_auc] for each in found], dtype=np.float64)


def truth(later: list[Rows]) -> Measured:
    """What the labels say."""
    return np.array([[score.right(*each).mean(), score.roc_auc(*each)] for each in later], dtype=np.float64)


def theirs(python: Path, earlier: Rows, later: list[Rows]) -> Measured:
    """NannyML's estimates, in its own environment."""
    with tempfile.TemporaryDirectory() as folder:
        _write(f"{folder}/earlier.parquet", [earlier])
        _write(f"{folder}/later.parquet", later)
        subprocess.run([python, "-c", PEER, folder, str(SIZE)], check=True, capture_output=True)
        found: Any = pq.read_table(f"{folder}/found.parquet")
        return np.column_stack([found["accuracy"].to_numpy(), found["roc_auc"].to_numpy()])


def _write(path: str, chunks: list[Rows]) -> None:
    labels, given = (np.concatenate(each) for each in zip(*chunks, strict=True))
    pq.write_table(pa.table({"label": labels, "given": given, "answer": (given > 0.5).astype(np.int8)}), path)


def main() -> None:
    """Print how far off each was, as Markdown."""
    parser = argparse.ArgumentParser(description="Estimated performance beside NannyML's.")
    parser.add_argument("--nannyml", type=Path, metavar="PYTHON")
    parser.add_argument("--seeds", type=int, default=5)
    given = parser.parse_args()
    errors: dict[str, list[Measured]] = {}
    for seed in range(1000, 1000 + 100 * given.seeds, 100):
        earlier, later = stream(seed)
        known = truth(later)
        errors.setdefault("Dropforge", []).append(abs(ours(earlier, later) - known))
        if given.nannyml:
            errors.setdefault("NannyML", []).append(abs(theirs(given.nannyml, earlier, later) - known))
        errors.setdefault("as in the first chunk", []).append(abs(known[0] - known))
    print(
        "| estimate | accuracy: mean error | worst chunk | ranking: mean error | worst chunk |\n|---|---|---|---|---|"
    )
    for name, found in errors.items():
        each = np.concatenate(found)
        (accuracy, ranking), (worst, worst_ranking) = each.mean(axis=0), each.max(axis=0)
        print(f"| {name} | {accuracy:.4f} | {worst:.4f} | {ranking:.4f} | {worst_ranking:.4f} |")


if __name__ == "__main__":
    main()
