"""What BigQuery holds of each batch, to be held against what was accepted."""

import time
from collections.abc import Mapping

from google.cloud import bigquery, exceptions

from dropforge.contracts import places
from dropforge.contracts.pipeline import Pipeline
from dropforge.contracts.settings import Settings
from dropforge.gcp.bigquery import Dataset


def rows_by_batch(settings: Settings, pipeline: Pipeline) -> dict[str, int]:
    """For each batch id of the main table, how many rows BigQuery holds; a row that was doubled counts twice."""
    table = f"{settings.project}.{settings.dataset}.{places.rows_table(pipeline.pipeline, pipeline.table)}"
    client: bigquery.Client = Dataset.connect(settings.project, settings.location)
    try:
        found = client.query_and_wait(f"SELECT _batch_id, COUNT(*) AS held FROM `{table}` GROUP BY _batch_id")
        return {row["_batch_id"]: row["held"] for row in found}
    except exceptions.NotFound:
        return {}  # no batch was accepted yet, so no load made the table
    finally:
        client.close()  # type: ignore[no-untyped-call]  # typed in part


def once_loaded(
    settings: Settings, pipeline: Pipeline, accepted: Mapping[str, int], seconds: float = 60.0
) -> dict[str, int]:
    """As `rows_by_batch`, looked up until all that was `accepted` is there: a batch is told of before it is loaded.

    After `seconds` it is what BigQuery holds then, so that a difference shows.
    """
    until = time.monotonic() + seconds
    while True:
        held = rows_by_batch(settings, pipeline)
        if all(held.get(batch, 0) >= rows for batch, rows in accepted.items()) or time.monotonic() > until:
            return held
        time.sleep(0.2)
