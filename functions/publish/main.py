"""model.trained in, model.published or model.refused out: the judge, and what follows from its word."""

import functions_framework
import steps  # type: ignore[import-not-found]  # it lies beside main.py in the bundle

from dropforge.contracts.events import ModelTrained
from dropforge.gcp import edge


@functions_framework.cloud_event
def publish(event: edge.CloudEvent) -> None:
    """One delivery of model.trained."""
    with edge.delivery("publish", event) as services:
        trained = edge.message(event, ModelTrained)
        steps.on_trained(trained, event.get("id"), services.state, services.topics, services.platform, services.clock)
