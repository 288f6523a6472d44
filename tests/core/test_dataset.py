"""The rows that models learn from."""

import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dropforge.contracts import places
from dropforge.contracts.batch import Batch, Source
from dropforge.contracts.errors import NotFound, PipelineInvalid
from dropforge.contracts.models import TrainedOn
from dropforge.contracts.pipeline import Pipeline, parse
from dropforge.core.dataset import LABEL, read_rows
from dropforge.core.twins import MemoryObjects

PIPELINE = parse("""
pipeline: taxis
purpose: Test.
table: rides
tables:
  rides:
    key: [ride]
    time: at
    columns:
      ride: {type: integer, required: true}
      at: {type: timestamp, required: true}
      zone: {type: category}
      fare: {type: number}
      tip: {type: number}
  zones:
    key: [zone]
    columns:
      zone: {type: category, required: true}
      borough: {type: category}
joins: [{table: zones, by: [zone]}]
label: {name: generous, column: tip, above: 2}
features: [fare, borough]
success: {metric: roc_auc, floor: 0.5, slice_margin: 0.1}
training: {mode: static}
""")
NOON = datetime(2013, 1, 1, 12, tzinfo=UTC)


def ride(number: int, **values: Any) -> dict[str, Any]:
    """A ride at `number` hours past noon."""
    return {"ride": number, "at": NOON + timedelta(hours=number), "zone": "A", "fare": 10.0, "tip": 1.0, **values}


def accept(state: MemoryObjects, table: str, landed: int, rows: list[dict[str, Any]]) -> TrainedOn:
    """Put `rows` where validation puts accepted rows."""
    source = Source(bucket="landing", name=f"taxis/{table}/{landed}.csv", generation=landed)
    held = [{**row, "_batch_id": source.batch_id, "_row": n, "_line": n + 2} for n, row in enumerate(rows)]
    file = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(held), file)
    batch = Batch(pipeline="taxis", table=table, batch_id=source.batch_id)
    generation = state.create(places.accepted_rows(batch), file.getvalue())
    return TrainedOn(
        table=table, batch_id=source.batch_id, source=source, accepted_generation=generation, rows=len(rows)
    )


def test_columns_of_both_tables_come_typed_and_by_name() -> None:
    """Training, judging and reports all address the columns by these names and types."""
    state = MemoryObjects()
    batches = [
        accept(state, "rides", 1, [ride(1)]),
        accept(state, "zones", 2, [{"zone": "A", "borough": "Bronx"}]),
    ]
    rows = read_rows(PIPELINE, batches, state)
    assert rows.schema == pa.schema(
        {
            "ride": pa.int64(),
            "at": pa.timestamp("us", "UTC"),
            "zone": pa.string(),
            "fare": pa.float64(),
            "tip": pa.float64(),
            "borough": pa.string(),
            LABEL: pa.int8(),
            "_batch_id": pa.string(),
            "_row": pa.int64(),
        }
    )
    assert rows.to_pylist()[0]["borough"] == "Bronx"


def test_no_batches_give_an_empty_table_of_the_same_columns() -> None:
    """A pipeline that nothing was dropped into is not an error of the reader."""
    rows = read_rows(PIPELINE, [], MemoryObjects())
    assert (rows.num_rows, rows.num_columns) == (0, 9)


@pytest.mark.parametrize(("tip", "label"), [(2.5, 1), (2.0, 0), (None, None)])
def test_label_is_whether_the_value_is_above_and_null_without_a_value(tip: float | None, label: int | None) -> None:
    """A row without a label is kept and counted, but must not look like a negative one."""
    state = MemoryObjects()
    rows = read_rows(PIPELINE, [accept(state, "rides", 1, [ride(1, tip=tip), ride(2)])], state)
    assert rows.column(LABEL).to_pylist() == [label, 0]


def test_label_equals_compares_as_text() -> None:
    """`equals` in a pipeline is text, whatever the column's type."""
    changed = PIPELINE.model_dump(exclude_none=True) | {"label": {"name": "b", "column": "zone", "equals": "B"}}
    state = MemoryObjects()
    batches = [accept(state, "rides", 1, [ride(1, zone="B"), ride(2, zone="A"), ride(3, zone=None)])]
    rows = read_rows(Pipeline.model_validate(changed), batches, state)
    assert rows.column(LABEL).to_pylist() == [1, 0, None]


def test_the_row_of_the_file_that_landed_last_wins_whatever_the_order_of_reading() -> None:
    """A corrected file replaces rows of an earlier one, in every training alike."""
    state = MemoryObjects()
    later, earlier = accept(state, "rides", 9, [ride(1, fare=2.0)]), accept(state, "rides", 5, [ride(1), ride(2)])
    for batches in ([later, earlier], [earlier, later]):
        assert read_rows(PIPELINE, batches, state).column("fare").to_pylist() == [2.0, 10.0]


def test_a_joined_table_never_multiplies_rows() -> None:
    """Two files with the same key of a joined table must not double the rows of the main one."""
    state = MemoryObjects()
    batches = [
        accept(state, "rides", 1, [ride(1), ride(2, zone="?")]),
        accept(state, "zones", 2, [{"zone": "A", "borough": "old"}]),
        accept(state, "zones", 3, [{"zone": "A", "borough": "new"}]),
    ]
    assert read_rows(PIPELINE, batches, state).column("borough").to_pylist() == ["new", None]


def test_order_is_time_then_key_and_bounds_hold() -> None:
    """A holdout is cut by time; the same batches must give the same rows in the same order."""
    state = MemoryObjects()
    batches = [accept(state, "rides", 1, [ride(5), ride(2)]), accept(state, "rides", 2, [ride(4), ride(3)])]
    assert read_rows(PIPELINE, batches, state).column("ride").to_pylist() == [2, 3, 4, 5]
    bounded = read_rows(PIPELINE, batches, state, NOON + timedelta(hours=3), NOON + timedelta(hours=5))
    assert bounded.column("ride").to_pylist() == [3, 4]
    assert bounded.equals(read_rows(PIPELINE, batches[::-1], state, *(NOON + timedelta(hours=h) for h in (3, 5))))


def test_a_generation_that_is_not_there_is_said() -> None:
    """Training on another generation than the lineage names would be a lie."""
    state = MemoryObjects()
    gone = accept(state, "rides", 1, [ride(1)]).model_copy(update={"accepted_generation": 99})
    with pytest.raises(NotFound, match="generation 99"):
        read_rows(PIPELINE, [gone], state)


def test_a_column_that_an_earlier_batch_lacks_is_null_and_a_changed_type_is_an_error() -> None:
    """Schemas grow; but a number must not silently become null because its type was changed."""
    state = MemoryObjects()
    old = accept(state, "rides", 1, [{"ride": 1, "at": NOON, "zone": "A", "tip": 3.0}])
    assert read_rows(PIPELINE, [old], state).column("fare").to_pylist() == [None]
    changed = accept(state, "rides", 2, [ride(2, fare="ten")])
    with pytest.raises(PipelineInvalid, match="accepted under other column types"):
        read_rows(PIPELINE, [old, changed], state)
