"""model.published in, a lookup file of answers out, where the pipeline asks for one."""

import functions_framework
import steps  # type: ignore[import-not-found]  # it lies beside main.py in the bundle

from dropforge.contracts.events import ModelPublished
from dropforge.gcp import edge


@functions_framework.cloud_event
def materialize(event: edge.CloudEvent) -> None:
    """One delivery of model.published."""
    with edge.delivery("materialize", event) as services:
        steps.on_published(edge.message(event, ModelPublished), services.state)
