"""batch.staged in, batch.accepted or batch.quarantined out."""

import functions_framework
import steps  # type: ignore[import-not-found]  # it lies beside main.py in the bundle

from dropforge.contracts.events import BatchStaged
from dropforge.gcp import edge


@functions_framework.cloud_event
def validate(event: edge.CloudEvent) -> None:
    """One delivery of batch.staged."""
    with edge.delivery("validate", event) as services:
        steps.validate(edge.message(event, BatchStaged).batch, services.state, services.topics, services.warehouse)
