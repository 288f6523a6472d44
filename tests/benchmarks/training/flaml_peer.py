"""FLAML on the two Parquet files that `peers` wrote; runs in FLAML's environment and prints one line of JSON.

python flaml_peer.py FOLDER classification|regression roc_auc|mae SECONDS
"""

import json
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from flaml import AutoML  # type: ignore[import-not-found]  # in its own environment


def main(folder: str, task: str, metric: str, seconds: str) -> None:
    """Search, and answer the rows that are asked about."""
    (known, labels), (asked, _) = (_read(Path(folder) / f"{name}.parquet") for name in ("known", "asked"))
    began, cpu = time.perf_counter(), time.process_time()
    search = AutoML()
    readers = ["lgbm", "xgboost", "xgb_limitdepth"]  # the learners of FLAML that read missing values
    settings = {"estimator_list": readers, "split_type": "time", "eval_method": "holdout", "verbose": 0, "seed": 0}
    search.fit(known, labels, task=task, metric=metric, time_budget=int(seconds), **settings)
    took = {"seconds": time.perf_counter() - began, "cpu": time.process_time() - cpu}
    given = search.predict_proba(asked)[:, 1] if task == "classification" else search.predict(asked)
    print(json.dumps({**took, "best": search.best_estimator, "given": [float(each) for each in given]}))


def _read(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """The features, shape (n_rows, n_features), and the labels."""
    table = pq.read_table(path)
    return np.column_stack([table[name].to_numpy() for name in table.column_names[:-1]]), table["label"].to_numpy()


if __name__ == "__main__":
    main(*sys.argv[1:])
