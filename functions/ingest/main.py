"""A dropped file in, batch.staged out."""

import functions_framework
import steps  # type: ignore[import-not-found]  # it lies beside main.py in the bundle

from dropforge.gcp import edge


@functions_framework.cloud_event
def ingest(event: edge.CloudEvent) -> None:
    """One delivery of google.cloud.storage.object.v1.finalized, or of file.missed where that never came."""
    with edge.delivery("ingest", event) as services:
        steps.ingest(edge.source(event), services.landing, services.state, services.topics)
