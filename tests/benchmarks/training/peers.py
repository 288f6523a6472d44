"""Accuracy and seconds against FLAML given 60 s, on the same rows, in one run.

    python -m tests.benchmarks.training.peers [--seconds 60] [--label late|delay]

Learned from the flights before December, asked about December: whether a flight lands late (ROC AUC) or by how many
minutes (mean absolute error). Dropforge does what `train` does after reading: it chooses the recipe on later blocks of
the training rows and fits it. FLAML searches for as long as it is given, by a holdout of its own, with the same columns
and parts of times; its packages are in an environment of their own (`.dropforge/flaml`), which this makes. On a busy
machine either gets less of the CPU in its time, so that is printed too.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from dropforge.contracts.pipeline import Pipeline
from dropforge.ml import fit, score, serving, training, window
from dropforge.ml.encoder import Encoder
from dropforge.ml.rows import coded, columns_of, labels_of
from tests.benchmarks.training import data

HERE = Path(__file__).parent
PEER = data.ROOT / ".dropforge" / "flaml"
LABELS = {"late": data.LATE, "delay": data.DELAY}


def main() -> None:
    """Print a line for each of the two, and the constant that both must beat."""
    parser = argparse.ArgumentParser(description="Accuracy and seconds against FLAML.")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--label", choices=LABELS, default="late")
    given = parser.parse_args()
    pipeline, rows = data.flights(LABELS[given.label])
    december = window.times_of(pipeline, rows) >= np.datetime64("2013-12-01T05:00")
    known, asked = rows.filter(pa.array(~december)), rows.filter(pa.array(december))
    metric = pipeline.success.metric
    print(
        f"{known.num_rows:,} rows to learn from, {asked.num_rows:,} to predict, {metric}; load {os.getloadavg()[0]:.1f}"
    )
    labels = labels_of(asked)
    constant = score.constant(labels, labels.astype(float), metric)
    began, cpu = time.perf_counter(), time.process_time()
    model, chosen = training.fit_rows(pipeline, known)
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    answered = serving.given(model, columns_of(asked))
    reached = score.METRICS[metric](coded(labels, serving.classes(model)), answered)
    print(f"{'constant':12}{score.METRICS[metric](labels, constant):10.4f}")
    print(f"{'dropforge':12}{reached:10.4f}{seconds:8.1f} s{cpu:8.1f} s of CPU   {chosen.kind}", flush=True)
    said = _peer(pipeline, known, asked, given.seconds)
    theirs = score.METRICS[metric](labels, np.array(said["given"]))
    print(f"{'flaml':12}{theirs:10.4f}{said['seconds']:8.1f} s{said['cpu']:8.1f} s of CPU   {said['best']}")


def _peer(pipeline: Pipeline, known: pa.Table, asked: pa.Table, seconds: int) -> dict[str, object]:
    """What FLAML gives, in its own environment, for the very matrix that boosting reads here."""
    if not (PEER / "bin" / "python").exists():
        subprocess.run([sys.executable, "-m", "venv", str(PEER)], check=True)
        wanted = HERE / "flaml.requirements.txt"
        subprocess.run([str(PEER / "bin" / "pip"), "install", "--quiet", "-r", str(wanted)], check=True)
    encoder = Encoder(fit.inputs(pipeline)).fit(columns_of(known))
    with tempfile.TemporaryDirectory() as folder:
        for name, rows in (("known", known), ("asked", asked)):
            matrix = encoder.transform(columns_of(rows))
            columns = {each.name: matrix[:, index] for index, each in enumerate(encoder.inputs)}
            pq.write_table(pa.table({**columns, "label": labels_of(rows)}), Path(folder) / f"{name}.parquet")
        task = {"binary": "classification", "regression": "regression"}[pipeline.label.task]
        asks = [str(PEER / "bin" / "python"), str(HERE / "flaml_peer.py"), folder, task, pipeline.success.metric]
        done = subprocess.run([*asks, str(seconds)], check=True, stdout=subprocess.PIPE, text=True)
    said: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return said


if __name__ == "__main__":
    main()
