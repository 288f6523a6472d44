"""`Warehouse`: a Parquet object's rows are in the table once, however often the load is asked for."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from google.cloud import bigquery
from google.cloud.storage import Client

from dropforge.contracts.errors import JobFailed
from dropforge.core.twins import MemoryWarehouse
from dropforge.gcp.bigquery import Dataset
from dropforge.gcp.storage import Bucket
from tests.emulators.launch import Emulator
from tests.gcp.conftest import Start

ROWS = pa.table({"flight": [1, 2, 3], "origin": ["JFK", None, "LGA"], "_reasons": [["a"], [], ["b", "c"]]})


@pytest.fixture(scope="module")
def bigquery_emulator(start: Start, storage_emulator: Emulator) -> Emulator:
    """BigQuery, which reads what it loads from the Cloud Storage emulator."""
    return start("bigquery", STORAGE_EMULATOR_HOST=storage_emulator.url)


@pytest.fixture
def client(bigquery_emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Iterator[bigquery.Client]:
    """Google's client, as a function makes it."""
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", bigquery_emulator.url)
    with Dataset.connect("test-project", "us-central1") as client:
        yield client


@pytest.fixture
def dataset(client: bigquery.Client) -> str:
    """The name of a fresh dataset."""
    name = f"rows_{uuid4().hex[:8]}"
    client.create_dataset(name)
    return name


@pytest.fixture
def uri(bucket_name: str, tmp_path: Path) -> str:
    """A Parquet object of three rows."""
    pq.write_table(ROWS, tmp_path / "rows.parquet")
    with Client(project="test-project") as storage:
        Bucket(storage, bucket_name).create("rows.parquet", tmp_path / "rows.parquet")
    return f"gs://{bucket_name}/rows.parquet"


def ids(prefix: str) -> Iterator[str]:
    """Job ids, one for each attempt."""
    return (f"{prefix}-{attempt}" for attempt in count(1))


def rows(client: bigquery.Client, dataset: str) -> int:
    """How many rows the table has."""
    return int(next(iter(client.query_and_wait(f"SELECT COUNT(*) FROM {dataset}.flights")))[0])


def test_a_load_asked_for_again_adds_nothing(client: bigquery.Client, dataset: str, uri: str) -> None:
    """A second delivery of a batch must not double its rows, and still learn how many there are."""
    warehouse = Dataset(client, dataset)
    assert [warehouse.load(uri, "flights", ids(f"{dataset}-a")) for _ in range(2)] == [3, 3]
    assert rows(client, dataset) == 3
    assert warehouse.load(uri, "flights", ids(f"{dataset}-b")) == 3
    assert rows(client, dataset) == 6


def test_of_two_loads_at_once_one_adds_rows(client: bigquery.Client, dataset: str, uri: str) -> None:
    """Two deliveries at once: BigQuery itself refuses the second job, which then waits for the first."""
    warehouse = Dataset(client, dataset)
    with ThreadPoolExecutor(4) as pool:
        loaded = list(pool.map(lambda _: warehouse.load(uri, "flights", ids(f"{dataset}-race")), range(4)))
    assert loaded == [3, 3, 3, 3]
    assert rows(client, dataset) == 3


def test_a_job_that_failed_is_passed_over_at_the_next_delivery(
    client: bigquery.Client, dataset: str, uri: str, bucket_name: str
) -> None:
    """A job id is spent once its job has failed; without the next id no later delivery could ever load the batch."""
    warehouse = Dataset(client, dataset)
    with pytest.raises(JobFailed, match=f"{dataset}-fails-1"):
        warehouse.load(f"gs://{bucket_name}/absent.parquet", "flights", ids(f"{dataset}-fails"))
    assert warehouse.load(uri, "flights", ids(f"{dataset}-fails")) == 3
    assert warehouse.load(uri, "flights", ids(f"{dataset}-fails")) == 3
    assert rows(client, dataset) == 3


def test_a_column_that_a_pipeline_gained_is_added(
    client: bigquery.Client, dataset: str, uri: str, bucket_name: str, tmp_path: Path
) -> None:
    """A pipeline that is deployed anew with one more column must not be stuck on its old table."""
    warehouse = Dataset(client, dataset)
    warehouse.load(uri, "flights", ids(f"{dataset}-old"))
    pq.write_table(ROWS.append_column("visib", pa.array([1.5, 2.5, None])), tmp_path / "wider")
    with Client(project="test-project") as storage:
        Bucket(storage, bucket_name).create("wider.parquet", tmp_path / "wider")
    warehouse.load(f"gs://{bucket_name}/wider.parquet", "flights", ids(f"{dataset}-new"))
    (seen,) = client.query_and_wait(f"SELECT COUNT(*) AS n, SUM(visib) AS total FROM {dataset}.flights")
    assert (seen.n, seen.total) == (6, 4.0)


def test_the_twin_loads_a_job_id_once() -> None:
    """Steps are tested with the twin, so it must refuse what BigQuery refuses."""
    twin = MemoryWarehouse()
    for uri in ("gs://b/1", "gs://b/2"):
        twin.load(uri, "flights", ids("same"))
    assert twin.jobs == {"same-1": ("gs://b/1", "flights")}
