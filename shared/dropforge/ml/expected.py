"""Answers whose labels are late: how good they are expected to be, slice by slice, by `confidence`."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from dropforge.contracts import logged
from dropforge.contracts.models import Candidate
from dropforge.contracts.pipeline import Pipeline
from dropforge.core.logged import tables
from dropforge.core.ports import Objects
from dropforge.ml import live, publishing, score
from dropforge.ml.confidence import LEAST, Calibrated, Estimate, estimate
from dropforge.ml.rows import given_of, labels_of


@dataclass(frozen=True)
class Expected:
    """One slice of the answers that a version gave, and that have no label yet."""

    version: str
    slice: str
    estimate: Estimate


def of_unlabelled(pipeline: Pipeline, state: Objects) -> Iterator[Expected]:
    """What is expected of every logged answer without a label, for each version that served, for all and by slice.

    Only for probabilities, and only where a version's holdout has enough rows to calibrate on.
    """
    waiting = _unlabelled(pipeline.pipeline, state)
    for version in sorted(waiting["version"].unique().to_pylist()):
        served = live.served(state, pipeline.pipeline, version)
        if served is None or served[1].task != "binary":
            continue
        holdout = publishing.holdout_rows(state, served[1])
        if holdout.num_rows < LEAST:
            continue
        meaning = Calibrated(labels_of(holdout), given_of(holdout))
        rows = waiting.filter(pa.compute.equal(waiting["version"], version))
        yield from _expected(pipeline, version, rows, served[1], meaning)


def _expected(
    pipeline: Pipeline, version: str, rows: pa.Table, candidate: Candidate, meaning: Calibrated
) -> Iterator[Expected]:
    listed = rows.to_pylist()
    given = np.array([candidate.outcome.given(json.loads(row["answer"])) for row in listed], dtype=np.float64)
    instances = [json.loads(row["instance"]) for row in listed]
    columns = {name: [instance.get(name) for instance in instances] for name in pipeline.slices}
    yield Expected(version, score.ALL, estimate(meaning, given))
    for name, mask in score.slices(columns, pipeline.slices):
        yield Expected(version, name, estimate(meaning, given[mask]))


def _unlabelled(pipeline: str, state: Objects) -> pa.Table:
    known = set(tables.read_all(state, logged.joined(pipeline), tables.OUTCOMES)["id"].to_pylist())
    rows = tables.read_all(state, logged.predictions(pipeline), tables.PREDICTIONS)
    return rows.filter(pa.array([identity not in known for identity in rows["id"].to_pylist()], pa.bool_()))
