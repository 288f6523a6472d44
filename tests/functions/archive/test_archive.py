"""Logged predictions in BigQuery: each once, many in one load."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from google.cloud import bigquery
from google.cloud.storage import Client

from dropforge.contracts import logged, places
from dropforge.contracts.errors import JobFailed
from dropforge.contracts.events import LogDayEnded
from dropforge.core.ports import Warehouse
from dropforge.core.twins import MemoryTopics, MemoryWarehouse
from dropforge.gcp.bigquery import Dataset
from dropforge.gcp.storage import Bucket
from functions.archive import steps
from functions.record import steps as record
from tests.emulators.launch import Emulator
from tests.functions.record.test_record import ANSWERED, CAME
from tests.gcp.conftest import Start, bucket_name, start, storage_emulator
from tests.ml.crash import Crash, Fuse, Mortal, every_crash
from tests.ml.shop import Shop

__all__ = ["bucket_name", "start", "storage_emulator"]


def chunk(shop: Shop, name: str) -> None:
    """One more chunk of answers."""
    record.keep_predictions(ANSWERED.model_copy(update={"chunk": name}), shop.state, MemoryTopics())


def loaded(warehouse: MemoryWarehouse) -> list[str]:
    """Every chunk that was loaded, as often as it was."""
    return sorted(uri for uris, _ in warehouse.jobs.values() for uri in uris)


def test_each_chunk_is_loaded_once_and_many_in_one_job() -> None:
    """BigQuery allows 1,500 loads of a table a day; there may be a chunk ten times a second."""
    shop, warehouse = Shop(), MemoryWarehouse()
    for names in (["1", "2"], ["3"], []):
        for name in names:
            chunk(shop, name)
        steps.archive(shop.state, warehouse)
    assert len(warehouse.jobs) == 2
    listed = sorted(f"gs://memory/{info.name}" for info in shop.state.list(logged.predictions("shop")))
    assert loaded(warehouse) == listed


def test_a_death_anywhere_loses_and_doubles_nothing() -> None:
    """Also between the list of a load and the load, and when more has come before the repeat."""

    def once(shop: Shop, warehouse: Warehouse, fuse: Fuse) -> None:
        steps.archive(Mortal(shop.state, fuse), Mortal(warehouse, fuse))

    before = Shop()
    chunk(before, "1")
    for fuse in every_crash(lambda fuse: once(before.copy(), MemoryWarehouse(), fuse)):
        shop, warehouse = before.copy(), MemoryWarehouse()
        with pytest.raises(Crash):
            once(shop, warehouse, fuse)
        chunk(shop, "2")
        once(shop, warehouse, Fuse())
        found = loaded(warehouse)
        assert len(found) == len(set(found)) == len(list(shop.state.list(logged.predictions("shop"))))


@dataclass
class Failing(MemoryWarehouse):
    """A warehouse whose loads into one table fail, as `Dataset` tells of them; none once `table` is empty."""

    table: str = places.log_table("shop", "predictions")
    failed: list[str] = field(default_factory=list)

    def load(self, uri: str | Sequence[str], table: str, job_ids: Iterator[str]) -> int:
        """As `Warehouse.load`."""
        for job_id in job_ids:
            if job_id in self.failed:
                continue
            if table != self.table or job_id in self.jobs:
                return super().load(uri, table, iter([job_id]))
            self.failed.append(job_id)
            break
        raise JobFailed(f"No job of {table} succeeded.")


def test_a_source_that_fails_holds_up_no_other() -> None:
    """What is wrong with one table, such as a column of another type, is no matter of all pipelines."""
    shop, warehouse = Shop(), Failing()
    chunk(shop, "1")
    record.keep_labels(CAME, shop.state, MemoryTopics())
    with pytest.raises(JobFailed):
        steps.archive(shop.state, warehouse)
    assert loaded(warehouse) == sorted(f"gs://memory/{info.name}" for info in shop.state.list(logged.labels("shop")))


def test_what_failed_for_long_is_loaded_once_it_can_be() -> None:
    """A job's id runs once, and a list has some tens of them: they are used up within the hour."""
    shop, warehouse = Shop(), Failing()
    for run in range(2 * steps.ATTEMPTS + 5):
        chunk(shop, f"{run}")
        with pytest.raises(JobFailed):
            steps.archive(shop.state, warehouse)
    assert len(warehouse.failed) == len(set(warehouse.failed)) > 2 * steps.ATTEMPTS
    warehouse.table = ""
    steps.archive(shop.state, warehouse)
    assert loaded(warehouse) == sorted(
        f"gs://memory/{info.name}" for info in shop.state.list(logged.predictions("shop"))
    )


@pytest.mark.parametrize("most", [1, 2, 7])
def test_reading_the_newest_lists_only_loses_and_doubles_nothing(monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    """Also where a list cannot take all: what it leaves out may be named, and so listed, after all that comes later."""
    monkeypatch.setattr(steps, "MOST_CHUNKS", most)
    monkeypatch.setattr(steps, "LOOK_BACK", 2)
    shop, warehouse = Shop(), Failing()
    for run in range(40):
        chunk(shop, f"{40 - run:02d}")
        warehouse.table = places.log_table("shop", "predictions") if 5 < run < 20 or run > 30 else ""
        if warehouse.table:
            with pytest.raises(JobFailed):
                steps.archive(shop.state, warehouse)
        else:
            steps.archive(shop.state, warehouse)
    warehouse.table = ""
    steps.archive(shop.state, warehouse)
    assert loaded(warehouse) == sorted(
        f"gs://memory/{info.name}" for info in shop.state.list(logged.predictions("shop"))
    )


def test_few_of_many_lists_are_read() -> None:
    """They are never deleted, and there are a thousand after a week."""
    shop, warehouse = Shop(), MemoryWarehouse()
    for run in range(3 * steps.LOOK_BACK):
        chunk(shop, f"{run:03d}")
        steps.archive(shop.state, warehouse)
    fuse = Fuse()
    steps.archive(Mortal(shop.state, fuse), warehouse)
    assert fuse.calls < 2 * steps.LOOK_BACK


@pytest.fixture
def client(start: Start, storage_emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Iterator[bigquery.Client]:
    """BigQuery, which reads what it loads from the Cloud Storage emulator."""
    running = start("bigquery", STORAGE_EMULATOR_HOST=storage_emulator.url)
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", running.url)
    with Dataset.connect("test-project", "us-central1") as client:
        yield client


def test_bigquery_holds_each_prediction_once(client: bigquery.Client, bucket_name: str) -> None:
    """By the real client: several chunks in one load, and a second run that adds nothing."""
    dataset = f"log_{uuid4().hex[:8]}"
    client.create_dataset(dataset)
    twin = Shop()
    with Client(project="test-project") as storage:
        state = Bucket(storage, bucket_name)
        state.create(places.pipeline_yaml("shop"), twin.state.read(places.pipeline_yaml("shop"))[0])
        record.keep_predictions(ANSWERED, state, MemoryTopics())
        for _ in range(2):
            steps.archive(state, Dataset(client, dataset))
    found = client.query_and_wait(f"SELECT id, at, answer FROM {dataset}.{places.log_table('shop', 'predictions')}")
    assert sorted(row.id for row in found) == sorted(row.id for row in ANSWERED.rows)


def at_night(shop: Shop) -> None:
    """The day of the answers in `ANSWERED` is over."""
    shop.clock.seconds = datetime(2013, 1, 2, 0, 16, tzinfo=UTC).timestamp()


def test_a_day_of_the_log_is_told_of_once_when_it_is_over() -> None:
    """By the schedule, whether or not anybody asks or labels again; and not while it lasts."""
    shop = Shop()
    chunk(shop, "1")
    shop.clock.seconds = datetime(2013, 1, 2, 0, 14, tzinfo=UTC).timestamp()
    steps.tell_of_days(shop.state, shop.topics, shop.clock)
    assert shop.topics.published == []
    at_night(shop)
    for _ in range(3):
        steps.tell_of_days(shop.state, shop.topics, shop.clock)
    assert shop.topics.published == [LogDayEnded(pipeline="shop", day="20130101")]


def test_a_death_after_a_day_was_told_of_tells_of_it_again() -> None:
    """And one before loses it no more."""
    before = Shop()
    chunk(before, "1")
    at_night(before)

    def once(shop: Shop, fuse: Fuse) -> None:
        steps.tell_of_days(Mortal(shop.state, fuse), Mortal(shop.topics, fuse), shop.clock)

    for fuse in every_crash(lambda fuse: once(before.copy(), fuse)):
        shop = before.copy()
        with pytest.raises(Crash):
            once(shop, fuse)
        once(shop, Fuse())
        assert set(shop.topics.published) == {LogDayEnded(pipeline="shop", day="20130101")}
        once(shop, Fuse())
        assert len(shop.topics.published) <= 2
