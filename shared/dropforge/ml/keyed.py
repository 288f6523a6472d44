"""What requests gave, typed, for each column of a model: of those that gave a key, as the table of answers has it."""

from collections.abc import Mapping, Sequence
from typing import Any

from dropforge.contracts.pipeline import Column, Pipeline
from dropforge.contracts.served import ServedField
from dropforge.core.ports import Objects
from dropforge.core.serving import newest
from dropforge.core.serving.identity import Identity
from dropforge.ml import live

Row = Mapping[str, Any]


def inputs(pipeline: Pipeline, instances: Sequence[Row], columns: Mapping[str, Column], state: Objects) -> list[Row]:
    """One row for each instance, in their order.

    Where a request gave the key of a row instead of its features, these are what the newest accepted rows say now, as
    `materialize` reads them. A key that they no longer have has no row here.
    """
    by_key = [instance for instance in instances if _is_key(pipeline, instance, columns)]
    known = _rows(pipeline, by_key, columns, state) if by_key else {}
    naming = _naming(pipeline)
    found: list[Row] = []
    for instance in instances:
        if not _is_key(pipeline, instance, columns):
            found.append({name: live.value_of(instance.get(name), column.type) for name, column in columns.items()})
        elif (row := known.get(naming.of(instance))) is not None:
            found.append(row)
    return found


def _is_key(pipeline: Pipeline, instance: Row, columns: Mapping[str, Column]) -> bool:
    key = set(pipeline.serving.key)
    return bool(key) and set(instance) == key and not set(columns) <= key


def _rows(pipeline: Pipeline, keys: Sequence[Row], columns: Mapping[str, Column], state: Objects) -> dict[bytes, Row]:
    """The rows that these keys name, each by its name; they come in the order of time, so the latest counts."""
    naming = _naming(pipeline)
    wanted = {naming.of(key) for key in keys}
    found: dict[bytes, Row] = {}
    for block in newest.blocks(pipeline, state):
        for row in block:
            name = naming.of(row)
            if name in wanted:
                found[name] = {column: row[column] for column in columns}
    return found


def _naming(pipeline: Pipeline) -> Identity:
    columns = pipeline.main.columns
    return Identity("key", [ServedField(name, columns[name].type, required=True) for name in pipeline.serving.key])
