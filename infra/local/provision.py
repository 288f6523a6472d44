"""What a deployment needs before its functions run: buckets, the dataset, and the pipelines' configuration."""

from pathlib import Path

from google.cloud import bigquery, exceptions
from google.cloud.storage import Client

from dropforge.contracts import places
from dropforge.contracts.pipeline import Pipeline, parse
from dropforge.contracts.settings import Settings
from dropforge.core.ports import Objects
from dropforge.core.state import load_text
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


def pipeline(state: Objects, file: Path) -> Pipeline:
    """Deploy one `pipeline.yaml`, if it is not what is deployed already.

    Raises:
        PipelineInvalid: it breaks the schema; nothing is deployed.
    """
    text = file.read_bytes()
    wanted = parse(text, where=str(file))
    place = places.pipeline_yaml(wanted.pipeline)
    present, generation = load_text(state, place)
    if present != text:
        state.replace(place, text, generation)
    return wanted
