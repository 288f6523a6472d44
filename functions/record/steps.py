"""What was answered, and what came of it, each written once into its partition, whichever comes first."""

from collections.abc import Iterable
from datetime import datetime

from dropforge.contracts import logged
from dropforge.contracts.errors import EventInvalid
from dropforge.contracts.events import GivenLabel, LabelsGiven, LabelsRecorded, LoggedPrediction, PredictionsLogged
from dropforge.core.logged import tables
from dropforge.core.ports import Objects, Topics


def keep_predictions(event: PredictionsLogged, state: Objects, topics: Topics) -> None:
    """Keep a chunk of answered predictions; a repeat finds it. Labels that were there before are told of.

    Raises:
        EventInvalid: an id is no prediction's.
    """
    for partition, rows in _divided(event.rows).items():
        place = logged.predictions(event.pipeline, partition, event.chunk)
        tables.write_once(state, place, tables.of_predictions(rows))
        if any(True for _ in state.list(logged.labels(event.pipeline, partition))):
            topics.publish(LabelsRecorded(pipeline=event.pipeline, partition=partition))


def keep_labels(event: LabelsGiven, state: Objects, topics: Topics) -> None:
    """Keep a chunk of labels; a repeat finds it. Each partition that got some is told of, each time.

    Raises:
        EventInvalid: an id is no prediction's.
    """
    for partition, rows in _divided(event.rows).items():
        place = logged.labels(event.pipeline, partition, event.chunk)
        tables.write_once(state, place, tables.of_labels(rows, datetime.fromisoformat(event.at)))
        topics.publish(LabelsRecorded(pipeline=event.pipeline, partition=partition))


def _divided[R: LoggedPrediction | GivenLabel](rows: Iterable[R]) -> dict[str, list[R]]:
    """The rows of each partition."""
    found: dict[str, list[R]] = {}
    for row in rows:
        partition = logged.partition_of_key(row.key) if row.key else logged.partition_of_id(row.id or "")
        if partition is None:
            raise EventInvalid(f"Expected the id of a prediction. Found {row.id!r}.")
        found.setdefault(partition, []).append(row)
    return found
