"""Labels of logged predictions: joined, scored, and taken into the watch like a batch."""

from datetime import datetime

import pyarrow as pa

from dropforge.contracts import logged, monitoring
from dropforge.contracts.events import BatchAccepted, GivenLabel, LabelsRecorded
from dropforge.contracts.monitoring import BatchScore
from dropforge.contracts.pipeline import Pipeline
from dropforge.core import dataset, ledger
from dropforge.core.logged import tables
from dropforge.core.ports import Objects, Topics
from dropforge.core.state import create_once, load
from dropforge.ml import live
from dropforge.ml.rows import LABEL, labelled


def scored(pipeline: Pipeline, name: str, part: pa.Table, state: Objects) -> list[BatchScore]:
    """The scores of a part of that name; what is known is not computed again."""
    place = monitoring.part_scores(pipeline.pipeline, name)
    known = load(state, place, monitoring.PartScores)
    if known is not None:
        return known[0].scores
    return create_once(state, place, monitoring.PartScores(scores=live.of_part(pipeline, name, part, state))).scores


def of_batch(pipeline: Pipeline, event: BatchAccepted, state: Objects, topics: Topics) -> None:
    """Labels that a file brought, for predictions that were asked for with the keys of their rows.

    Raises:
        NotFound: the batch has no verdict (yet).
    """
    name = pipeline.pipeline
    if not any(True for _ in state.list(f"{logged.predictions(name)}{logged.KEYED}")):
        return
    line = ledger.find(state, event.pipeline, event.table, event.batch_id)
    rows = labelled(dataset.read_rows(pipeline, [line], state))
    for partition, table in _by_partition(pipeline, rows, line.decided).items():
        tables.write_once(state, logged.labels(name, partition, event.batch_id), table)
        topics.publish(LabelsRecorded(pipeline=name, partition=partition))


def _by_partition(pipeline: Pipeline, rows: pa.Table, decided: str) -> dict[str, pa.Table]:
    """The labels of rows by the names of their keys."""
    found: dict[str, list[GivenLabel]] = {}
    binary = pipeline.label.task == "binary"
    for row in rows.select([*pipeline.main.key, LABEL]).to_pylist():
        label = row.pop(LABEL)
        key = logged.key_name(row)
        given = GivenLabel(id=None, key=key, label=bool(label) if binary else label)
        found.setdefault(logged.partition_of_key(key), []).append(given)
    at = datetime.fromisoformat(decided)
    return {partition: tables.of_labels(given, at) for partition, given in found.items()}
