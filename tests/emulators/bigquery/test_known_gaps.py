"""What the adopted emulator does otherwise than BigQuery.

Each test states BigQuery's behaviour, which it must show in the cloud, and fails the suite once the emulator shows it
too, so that the gap's entry cannot outlive the gap.
"""

import io
import json
from typing import Any

import pytest
from google.api_core.exceptions import GoogleAPICallError
from google.cloud import bigquery

ALSO_IN_THE_CLOUD = True


def load_json(client: bigquery.Client, rows: list[dict[str, Any]], table: str, **config: Any) -> None:
    """Load rows as JSON Lines and wait."""
    text = "\n".join(json.dumps(row) for row in rows).encode()
    given = bigquery.LoadJobConfig(source_format="NEWLINE_DELIMITED_JSON", **config)
    client.load_table_from_file(io.BytesIO(text), table, job_config=given).result()


def day_partitioned(client: bigquery.Client, name: str, field: str | None) -> bigquery.Table:
    """An empty table, partitioned by day."""
    table = bigquery.Table(name, schema=[bigquery.SchemaField("id", "INT64"), bigquery.SchemaField("day", "DATE")])
    table.time_partitioning = bigquery.TimePartitioning(field=field)
    return client.create_table(table)


@pytest.mark.gap("a load into a partition by its decorator replaces rows of other partitions")
def test_a_load_into_one_partition_keeps_the_others(client: bigquery.Client, dataset: str) -> None:
    """The design therefore loads into a staging table and merges."""
    day_partitioned(client, f"{dataset}.t", "day")
    for day in (1, 2):
        rows = [{"id": day, "day": f"2013-01-0{day}"}]
        load_json(client, rows, f"{dataset}.t$2013010{day}", write_disposition="WRITE_TRUNCATE")
    assert len(list(client.query_and_wait(f"SELECT id FROM `{dataset}.t`"))) == 2


@pytest.mark.gap("the pseudo column _PARTITIONTIME is missing")
def test_an_ingestion_time_partition_is_queryable(client: bigquery.Client, dataset: str) -> None:
    """The design partitions by a column of its own."""
    day_partitioned(client, f"{dataset}.t", None)
    client.query_and_wait(f"SELECT id FROM `{dataset}.t` WHERE _PARTITIONTIME IS NOT NULL")


@pytest.mark.gap("a load ignores mode REQUIRED")
def test_a_load_of_null_into_a_required_column_fails(client: bigquery.Client, dataset: str) -> None:
    """The design checks rows before they are loaded."""
    schema = [bigquery.SchemaField("id", "INT64", mode="REQUIRED")]
    with pytest.raises(GoogleAPICallError):
        load_json(client, [{"id": None}], f"{dataset}.t", schema=schema)


@pytest.mark.gap("a dry run says 0 bytes")
def test_a_dry_run_estimates_bytes(client: bigquery.Client, dataset: str) -> None:
    """Cost estimates need the real service."""
    client.query_and_wait(f"CREATE TABLE `{dataset}.t` AS SELECT * FROM UNNEST(GENERATE_ARRAY(1, 1000)) AS id")
    job = client.query(f"SELECT id FROM `{dataset}.t`", job_config=bigquery.QueryJobConfig(dry_run=True))
    assert job.total_bytes_processed == 8000


@pytest.mark.gap("a load takes rows with fields that the schema does not have")
def test_a_load_of_an_unknown_field_fails(client: bigquery.Client, dataset: str) -> None:
    """The design names unexpected columns before they are loaded."""
    with pytest.raises(GoogleAPICallError):
        load_json(client, [{"id": 1, "more": 2}], f"{dataset}.t", schema=[bigquery.SchemaField("id", "INT64")])
