"""Static global against dynamic personal, on spoken digits: `python -m tests.benchmarks.training.personal [takes.csv]`.

Without a file, the rows that lie beside the repository; `examples/speakers/sounds.py` makes some from recordings.

First speakers who are known: learned from all takes but the last ten of each, asked about those. The peers are one
model of all (static global), the same with the speaker as one more feature, and one model for each speaker alone. Then
one speaker after another who is new: the model learns the others' takes and so many of his own, and is asked about his
last twenty. All are scikit-learn's logistic regression on the same features.
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from dropforge.contracts.pipeline import Feature, Pipeline, parse
from dropforge.ml import export, fit, score, serving, training
from dropforge.ml.personal.learn import common
from dropforge.ml.rows import coded, columns_of, labels_of
from tests.benchmarks.training import data

OWN = (0, 2, 5, 10, 20, 30)  # takes of each digit by a speaker who is new
LATE = 30  # the first take that a speaker who is new is asked about
LAST = 40  # the first take that those who are known are asked about

Given = Callable[[pa.Table], NDArray[np.float64]]


def main() -> None:
    """Print both tables."""
    pipeline, rows = _from(Path(sys.argv[1])) if len(sys.argv) > 1 else data.digits()
    settings = pipeline.training.model_copy(update={"per": "speaker", "models": ["logistic"]})
    pipeline = pipeline.model_copy(update={"training": settings})
    take = np.array(rows["take"])
    known, asked = rows.filter(pa.array(take < LAST)), rows.filter(pa.array(take >= LAST))
    print(f"known speakers: {known.num_rows} takes to learn from, {asked.num_rows} later ones asked")
    for name, learn in PEERS.items():
        began = time.perf_counter()
        given = learn(pipeline, known)
        print(f"  {name:34}{_told(asked, given(asked))}   {time.perf_counter() - began:5.1f} s")
    print("new speakers: accuracy (log loss), model of all, then personal, by takes of each digit of their own")
    for speaker in sorted(set(rows["speaker"].to_pylist())):
        print(f"  {speaker:10}", *(_new(pipeline, rows, speaker, own) for own in OWN), sep="   ")


def _from(file: Path) -> tuple[Pipeline, pa.Table]:
    pipeline = parse((data.ROOT / "examples" / "speakers" / "pipeline.yaml").read_text("utf-8"))
    with duckdb.connect() as database:
        query = "SELECT * REPLACE (digit::VARCHAR AS digit), digit::VARCHAR AS __label__ FROM read_csv(?) ORDER BY ALL"
        rows = database.sql(query, params=[str(file)]).to_arrow_table()
    return pipeline, rows.sort_by([("take", "ascending"), ("speaker", "ascending"), ("digit", "ascending")])


def _new(pipeline: Pipeline, rows: pa.Table, speaker: str, own: int) -> str:
    take, his = np.array(rows["take"]), np.array(rows["speaker"].to_pylist()) == speaker
    asked = rows.filter(pa.array(his & (take >= LATE)))
    model = _personal(pipeline, rows.filter(pa.array((~his) & (take < LATE) | his & (take < own))))
    both = [getattr(model, "common", model), model]
    return f"{own}: " + " > ".join(_told(asked, _in_order(each, asked)) for each in both)


def _personal(pipeline: Pipeline, known: pa.Table) -> Any:
    return training.fit_rows(pipeline, known)[0]


def _in_order(model: Any, asked: pa.Table) -> NDArray[np.float64]:
    """Probabilities of the ten digits."""
    return serving.given(model, columns_of(asked))


def _global(pipeline: Pipeline, known: pa.Table) -> Given:
    model = common(pipeline, known, "logistic", None)
    return lambda asked: _in_order(model, asked)


def _as_feature(pipeline: Pipeline, known: pa.Table) -> Given:
    more = [*pipeline.features, Feature(name="speaker", column="speaker")]
    return _global(pipeline.model_copy(update={"features": more}), known)


def _alone(pipeline: Pipeline, known: pa.Table) -> Given:
    names = np.array(known["speaker"].to_pylist())
    models = {
        name: fit.fit(pipeline, columns_of(part), labels_of(part), "logistic")
        for name in sorted(set(names.tolist()))
        for part in [known.filter(pa.array(names == name))]
    }

    def given(asked: pa.Table) -> NDArray[np.float64]:
        who = np.array(asked["speaker"].to_pylist())
        found = np.zeros((asked.num_rows, 10))
        for name, model in models.items():
            found[who == name] = _in_order(model, asked.filter(pa.array(who == name)))
        return found

    return given


def _dynamic(pipeline: Pipeline, known: pa.Table) -> Given:
    model = _personal(pipeline, known)
    print(f"  (compiled: {export.export(model, columns_of(known)).reason})")
    return lambda asked: _in_order(model, asked)


PEERS: dict[str, Callable[[Pipeline, pa.Table], Given]] = {
    "static global": _global,
    "global, the speaker as a feature": _as_feature,
    "a model for each speaker": _alone,
    "dynamic personal": _dynamic,
}


def _told(asked: pa.Table, given: NDArray[np.float64]) -> str:
    labels = coded(labels_of(asked), [str(digit) for digit in range(10)])
    return f"{score.accuracy(labels, given):.3f} ({score.log_loss(labels, given):.3f})"


if __name__ == "__main__":
    main()
