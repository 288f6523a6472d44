"""Loads and queries, as the functions use them."""

from pathlib import Path
from uuid import uuid4

import pyarrow as pa
import pytest
from google.api_core.exceptions import Conflict, NotFound
from google.cloud import bigquery
from pyarrow import parquet

ALSO_IN_THE_CLOUD = True


def load(client: bigquery.Client, path: Path, table: str, job_id: str | None = None) -> bigquery.LoadJob:
    """Load a Parquet file by upload and wait."""
    config = bigquery.LoadJobConfig(source_format="PARQUET", write_disposition="WRITE_APPEND")
    with path.open("rb") as file:
        job: bigquery.LoadJob = client.load_table_from_file(file, table, job_config=config, job_id=job_id)
    job.result()
    return job


def count(client: bigquery.Client, table: str) -> int:
    """Rows in the table, by a query."""
    (row,) = client.query_and_wait(f"SELECT COUNT(*) AS n FROM `{table}`")
    return int(row.n)


@pytest.fixture
def parquet_file(tmp_path: Path) -> Path:
    """Three rows."""
    path = tmp_path / "rows.parquet"
    parquet.write_table(pa.table({"id": [1, 2, 3], "origin": ["EWR", "JFK", "LGA"]}), path)
    return path


def test_a_load_and_a_query_of_what_it_loaded(client: bigquery.Client, dataset: str, parquet_file: Path) -> None:
    """The path of every accepted batch."""
    job = load(client, parquet_file, f"{dataset}.flights")
    assert job.output_rows == 3
    rows = client.query_and_wait(f"SELECT origin FROM `{dataset}.flights` WHERE id >= 2 ORDER BY id")
    assert [row.origin for row in rows] == ["JFK", "LGA"]


def test_a_repeated_job_id_conflicts_and_loads_nothing_more(
    client: bigquery.Client, dataset: str, parquet_file: Path
) -> None:
    """Exactly-once loading rests on job ids derived from batch ids."""
    job_id = f"batch-{uuid4().hex}"  # the real service knows the one of the last run for half a year
    load(client, parquet_file, f"{dataset}.flights", job_id)
    with pytest.raises(Conflict):
        load(client, parquet_file, f"{dataset}.flights", job_id)
    assert count(client, f"{dataset}.flights") == 3


def test_a_query_of_a_table_that_is_not_there_names_it(client: bigquery.Client, dataset: str) -> None:
    """The functions tell an absent table from an empty one."""
    with pytest.raises(NotFound, match="absent"):
        client.query_and_wait(f"SELECT * FROM `{dataset}.absent`")


def test_a_merge_by_key_updates_and_inserts(client: bigquery.Client, dataset: str) -> None:
    """Late rows arrive through a staging table and MERGE, in place of partition-decorated loads."""
    client.query_and_wait(f"CREATE TABLE `{dataset}.t` AS SELECT 1 AS id, 'old' AS v")
    client.query_and_wait(
        f"MERGE `{dataset}.t` t "
        "USING (SELECT * FROM UNNEST([STRUCT(1 AS id, 'new' AS v), (2, 'more')])) s ON t.id = s.id "
        "WHEN MATCHED THEN UPDATE SET v = s.v WHEN NOT MATCHED THEN INSERT (id, v) VALUES (s.id, s.v)"
    )
    rows = client.query_and_wait(f"SELECT id, v FROM `{dataset}.t` ORDER BY id")
    assert [tuple(row.values()) for row in rows] == [(1, "new"), (2, "more")]
