"""The rows that models learn from: accepted rows of named batches, joined, labelled, in an order that never changes."""

import tempfile
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

import duckdb
import pyarrow as pa

from dropforge.contracts import places
from dropforge.contracts.batch import Batch
from dropforge.contracts.errors import PipelineInvalid
from dropforge.contracts.models import TrainedOn
from dropforge.contracts.pipeline import Pipeline, Table
from dropforge.core import engine, ledger
from dropforge.core.engine import SQL_TYPES, identifier, text
from dropforge.core.ports import Objects

LABEL = "__label__"
MEMORY_MB = 1024  # the table itself, which is returned, comes on top


def read_rows(
    pipeline: Pipeline,
    batches: Sequence[ledger.Line | TrainedOn],
    state: Objects,
    since: datetime | None = None,
    until: datetime | None = None,
    *,
    share: float = 1.0,
) -> pa.Table:
    """Accepted rows of exactly these batches, at exactly these generations, as one table.

    One row for each key of the main table, with the columns of joined tables beside it where their key matches, else
    null. Where a key stands in several batches, the row of the file that landed last wins (the largest source
    generation), or of the one that landed first, where the table's `repeated_keys` is `quarantine`. Ordered by the main
    table's time, then its key. Batches of which nothing was accepted, or of tables that are not in use, add nothing.
    The same arguments always give an equal table.

    Columns, in this order: those of the main table, those of each joined table but its key, each by its name and typed
    (timestamp[us, UTC], date32, int64, double, bool, string), then `__label__` (int8, 0 or 1; double where the label is
    a number, string where it is a class; null where the label's column is), `_batch_id` (string) and `_row` (int64),
    which name the file and the row in it.

    Of a `share` below 1, only that part of the main table's rows, chosen by a hash of their key: the same rows each
    time, and of a larger share these and more.

    `since` (inclusive) and `until` (exclusive) bound the main table's time; a time without zone counts as UTC.

    Raises:
        NotFound: the accepted rows of a batch are not there at that generation.
        PipelineInvalid: a column's type was changed, and a batch accepted before cannot be read as the new one.
    """
    with (
        tempfile.TemporaryDirectory(prefix="dropforge-rows-") as folder,
        engine.opened(Path(folder), MEMORY_MB) as database,
    ):
        for name in [pipeline.table, *(join.table for join in pipeline.joins)]:
            read = [_trained_on(batch) for batch in batches if _accepted(batch) and _batch(batch).table == name]
            _read_table(database, pipeline, name, read, state, Path(folder), share if name == pipeline.table else 1.0)
        query = _joined(pipeline, _bounds(pipeline, since, until))
        return database.sql(query).to_arrow_table()


def _accepted(batch: ledger.Line | TrainedOn) -> bool:
    return batch.accepted_generation is not None


def _batch(batch: ledger.Line | TrainedOn) -> Batch:
    if isinstance(batch, ledger.Line):
        return batch.batch
    return Batch(pipeline="", table=batch.table, batch_id=batch.batch_id)


def _trained_on(batch: ledger.Line | TrainedOn) -> TrainedOn:
    if isinstance(batch, TrainedOn):
        return batch
    return TrainedOn(
        table=batch.batch.table,
        batch_id=batch.batch.batch_id,
        source=batch.source,
        accepted_generation=batch.accepted_generation or 0,
        rows=batch.rows_accepted,
    )


def _read_table(
    database: duckdb.DuckDBPyConnection,
    pipeline: Pipeline,
    name: str,
    batches: Iterable[TrainedOn],
    state: Objects,
    folder: Path,
    share: float,
) -> None:
    """Make the table `name` in the database: one row of each key, or of a share of them, typed as the pipeline says."""
    table = pipeline.tables[name]
    columns = ", ".join(f"{identifier(c)} {SQL_TYPES[column.type]}" for c, column in table.columns.items())
    loaded = identifier(f"all {name}")
    database.execute(f"CREATE TABLE {loaded} ({columns}, _batch_id VARCHAR, _row BIGINT, _landed BIGINT)")
    for batch in batches:
        path = folder / f"{batch.batch_id}.parquet"
        place = places.accepted_rows(Batch(pipeline=pipeline.pipeline, table=name, batch_id=batch.batch_id))
        state.download(place, path, batch.accepted_generation)
        try:
            _insert(database, loaded, table, path, batch.source.generation, share)
        except duckdb.ConversionException as error:
            raise PipelineInvalid(
                f"gs://{state.bucket}/{place} was accepted under other column types than {name!r} has now: {error}",
                pipeline=pipeline.pipeline,
                object=place,
                problems=[str(error)],
            ) from error
        path.unlink()
    key = ", ".join(identifier(column) for column in table.key)
    end = "ASC" if table.repeated_keys == "quarantine" else "DESC"
    database.execute(
        f"CREATE TABLE {identifier(name)} AS SELECT * EXCLUDE (_landed) FROM {loaded} "
        f"QUALIFY row_number() OVER (PARTITION BY {key} ORDER BY _landed {end}, _batch_id {end}, _row {end}) = 1"
    )
    database.execute(f"DROP TABLE {loaded}")


def _insert(
    database: duckdb.DuckDBPyConnection, loaded: str, table: Table, path: Path, landed: int, share: float
) -> None:
    there = {row[0] for row in database.execute(f"DESCRIBE FROM read_parquet({text(str(path))})").fetchall()}
    names = [identifier(name) for name in [*table.columns, "_batch_id", "_row"] if name in there]
    listed = ", ".join(names)
    database.execute(
        f"INSERT INTO {loaded} ({listed}, _landed) SELECT {listed}, {landed} FROM read_parquet({text(str(path))})"
        f"{_sampled(table, share)}"
    )


def _sampled(table: Table, share: float) -> str:
    """MD5, for DuckDB's own hash may be another in its next version, and then another sample."""
    if share >= 1:
        return ""
    key = ", ".join(f"CAST({identifier(column)} AS VARCHAR)" for column in table.key)
    return f" WHERE md5_number_lower(concat_ws(chr(31), {key})) % 10000 < {round(share * 10_000)}"


def _joined(pipeline: Pipeline, where: str) -> str:
    main = identifier(pipeline.table)
    selected = [f"{main}.{identifier(name)}" for name in pipeline.main.columns]
    joins = []
    for join in pipeline.joins:
        other = identifier(join.table)
        selected += [
            f"{other}.{identifier(name)}" for name in pipeline.tables[join.table].columns if name not in join.by
        ]
        joined_on = " AND ".join(f"{main}.{identifier(name)} = {other}.{identifier(name)}" for name in join.by)
        joins.append(f"LEFT JOIN {other} ON {joined_on}")
    order = ", ".join(f"{main}.{identifier(name)}" for name in [pipeline.main.time or "_row", *pipeline.main.key])
    return (
        f"SELECT {', '.join(selected)}, {_label(pipeline)} AS {LABEL}, {main}._batch_id, {main}._row "
        f"FROM {main} {' '.join(joins)} {where} ORDER BY {order}"
    )


def _label(pipeline: Pipeline) -> str:
    column = f"{identifier(pipeline.table)}.{identifier(pipeline.label.column)}"
    if pipeline.label.above is not None:
        return f"CAST({column} > {pipeline.label.above!r} AS TINYINT)"
    if pipeline.label.kind is not None:
        return f"CAST({column} AS {'DOUBLE' if pipeline.label.kind == 'number' else 'VARCHAR'})"
    return f"CAST(CAST({column} AS VARCHAR) = {text(pipeline.label.equals or '')} AS TINYINT)"


def _bounds(pipeline: Pipeline, since: datetime | None, until: datetime | None) -> str:
    time = f"CAST({identifier(pipeline.table)}.{identifier(pipeline.main.time or '')} AS TIMESTAMPTZ)"
    bounds = [
        f"{time} {sign} TIMESTAMPTZ {text(bound.isoformat())}"
        for sign, bound in ((">=", since), ("<", until))
        if bound is not None
    ]
    return f"WHERE {' AND '.join(bounds)}" if bounds else ""
