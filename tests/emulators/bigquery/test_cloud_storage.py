"""Load jobs from `gs://`, through the Cloud Storage emulator."""

import io
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from google.api_core.exceptions import BadRequest, Conflict, NotFound
from google.cloud import bigquery
from google.cloud.storage import Bucket, Client
from pyarrow import parquet

from tests.emulators.launch import Emulator, anonymous


@pytest.fixture(scope="module")
def bucket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bucket]:
    """A bucket with two Parquet objects of three rows each."""
    with Emulator("storage", tmp_path_factory.mktemp("storage") / "errors.log") as running:
        client = Client("test-project", anonymous(), client_options={"api_endpoint": running.url})
        bucket = client.create_bucket("staged")
        for month in (1, 2):
            content = io.BytesIO()
            parquet.write_table(pa.table({"month": [month] * 3, "id": [1, 2, 3]}), content)
            bucket.blob(f"flights/month={month:02}.parquet").upload_from_string(content.getvalue())
        yield bucket
        client.close()


@pytest.fixture(scope="module")
def beside(bucket: Bucket, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """A BigQuery emulator that knows the bucket's."""
    errors: Path = tmp_path_factory.mktemp("bigquery") / "errors.log"
    with Emulator("bigquery", errors, None, 0, STORAGE_EMULATOR_HOST=bucket.client.api_endpoint) as running:
        yield running


@pytest.fixture
def client(beside: Emulator, monkeypatch: pytest.MonkeyPatch) -> Iterator[bigquery.Client]:
    """Google's client, told where to go by its own environment variable."""
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", beside.url)
    with bigquery.Client(project="test-project", credentials=anonymous()) as client:
        client.create_dataset("d", exists_ok=True)
        yield client


def load(client: bigquery.Client, uri: str, table: str, job_id: str | None = None) -> bigquery.LoadJob:
    """Load Parquet from Cloud Storage and wait."""
    config = bigquery.LoadJobConfig(source_format="PARQUET", write_disposition="WRITE_APPEND")
    job = client.load_table_from_uri(uri, f"test-project.d.{table}", job_config=config, job_id=job_id)
    job.result()
    return job


def test_an_object_is_loaded_once_under_its_job_id(client: bigquery.Client) -> None:
    """A batch that is delivered twice is loaded once."""
    uri = "gs://staged/flights/month=01.parquet"
    assert load(client, uri, "once", "batch-1").output_rows == 3
    with pytest.raises(Conflict):
        load(client, uri, "once", "batch-1")
    (row,) = client.query_and_wait("SELECT COUNT(*) AS n FROM d.once")
    assert row.n == 3


def test_a_wildcard_loads_every_object(client: bigquery.Client) -> None:
    """One job loads a whole period."""
    assert load(client, "gs://staged/flights/*.parquet", "all").output_rows == 6


def test_an_object_that_is_not_there_fails_the_job(client: bigquery.Client) -> None:
    """A load of nothing must not count as done."""
    with pytest.raises((BadRequest, NotFound)):
        load(client, "gs://staged/absent.parquet", "none")
