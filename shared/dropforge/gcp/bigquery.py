"""`Warehouse` on BigQuery: Parquet objects become rows by load jobs whose ids the caller derives from the batch."""

import os
import time
from collections.abc import Iterator, Sequence

from google.api_core import exceptions as google
from google.cloud import bigquery

from dropforge.contracts.errors import CallRefused, JobFailed, ServiceUnavailable
from dropforge.gcp.anonymous import anonymous
from dropforge.gcp.errors import translated

PATIENCE = 480.0  # seconds to wait for one load job, less than the functions' own time-outs
_REQUEST = 30.0  # seconds for one call of the API


class Dataset:
    """One dataset; `BIGQUERY_EMULATOR_HOST` is the client's own business, save for the credentials."""

    def __init__(self, client: bigquery.Client, dataset: str) -> None:
        self._client = client
        self._dataset = dataset

    @staticmethod
    def connect(project: str, location: str) -> bigquery.Client:
        """A client; of nobody on an emulator, else by Application Default Credentials."""
        nobody = anonymous() if os.environ.get("BIGQUERY_EMULATOR_HOST") else None
        return bigquery.Client(project=project, location=location, credentials=nobody)

    def load(self, uri: str | Sequence[str], table: str, job_ids: Iterator[str]) -> int:
        """As `Warehouse.load`.

        Jobs that failed at an earlier delivery are passed over; one that fails now raises, so that the next attempt
        comes with the next delivery and its back-off.
        """
        for job_id in job_ids:
            fields = {"uri": str(uri), "table": table, "job": job_id}
            with translated(f"Loading {uri} into {self._dataset}.{table} by job {job_id}", **fields):
                job, is_new = self._ensure(job_id, uri, table)
                self._wait(job)
            if not job.error_result:
                return int(job.output_rows or 0)
            if is_new:
                reason = job.error_result.get("message", job.error_result)
                raise JobFailed(f"The load job {job_id} of {uri} into {table} failed: {reason}", **fields)
        raise JobFailed(
            f"Every load job of {uri} into {table} that may be tried has failed.", uri=str(uri), table=table
        )

    def _ensure(self, job_id: str, uri: str | Sequence[str], table: str) -> tuple[bigquery.LoadJob, bool]:
        """The job of this id, and whether this call made it."""
        to = bigquery.DatasetReference(self._client.project, self._dataset).table(table)
        try:
            made = self._client.load_table_from_uri(uri, to, job_id=job_id, job_config=_config(), timeout=_REQUEST)
        except google.Conflict:
            found = self._client.get_job(job_id, timeout=_REQUEST)
            if not isinstance(found, bigquery.LoadJob):
                raise CallRefused(f"The job {job_id} is no load job, but a {found.job_type}.", job=job_id) from None
            return found, False
        return made, True

    def _wait(self, job: bigquery.LoadJob) -> None:
        # The client's own wait starts at a second and a half between looks, which is most of a small load's time.
        until, pause = time.monotonic() + PATIENCE, 0.05
        while job.state != "DONE":
            if time.monotonic() > until:
                raise ServiceUnavailable(f"The job {job.job_id} still runs after {PATIENCE:.0f} s.", job=job.job_id)
            time.sleep(pause)
            pause = min(pause * 1.5, 5.0)
            job.reload(timeout=_REQUEST)


def _config() -> bigquery.LoadJobConfig:
    lists = bigquery.ParquetOptions()  # type: ignore[no-untyped-call]  # typed in part
    lists.enable_list_inference = True  # a list column is ARRAY<T>, not RECORD(list(element))
    return bigquery.LoadJobConfig(
        source_format=bigquery.SourceFormat.PARQUET,
        write_disposition=bigquery.WriteDisposition.WRITE_APPEND,
        create_disposition=bigquery.CreateDisposition.CREATE_IF_NEEDED,
        schema_update_options=[
            bigquery.SchemaUpdateOption.ALLOW_FIELD_ADDITION,  # a pipeline may gain a column
            bigquery.SchemaUpdateOption.ALLOW_FIELD_RELAXATION,
        ],
        parquet_options=lists,
    )
