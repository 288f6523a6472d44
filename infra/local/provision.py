"""What a deployment needs before its functions run: buckets and the dataset."""

from google.cloud import bigquery, exceptions
from google.cloud.storage import Client

from dropforge.contracts.settings import Settings
from dropforge.gcp.bigquery import Dataset


def buckets_and_dataset(settings: Settings) -> None:
    """Create what is not there. Versioning is on, so that every generation that a model came from stays readable."""
    client = Client(project=settings.project)
    try:
        for name in (settings.landing_bucket, settings.state_bucket):
            bucket = client.bucket(name)
            bucket.versioning_enabled = True
            try:
                bucket.create(location=settings.location)
            except exceptions.Conflict:
                continue  # made by an earlier run
    finally:
        client.close()
    warehouse: bigquery.Client = Dataset.connect(settings.project, settings.location)
    try:
        warehouse.create_dataset(settings.dataset, exists_ok=True)
    finally:
        warehouse.close()  # type: ignore[no-untyped-call]  # typed in part
