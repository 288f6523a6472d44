"""batch.accepted or training.requested in, model.trained out: whether to train now, where, and on what."""

import functions_framework
import steps  # type: ignore[import-not-found]  # it lies beside main.py in the bundle

from dropforge.contracts.events import BatchAccepted, TrainingRequested
from dropforge.gcp import edge


@functions_framework.cloud_event
def train(event: edge.CloudEvent) -> None:
    """One delivery of batch.accepted or training.requested."""
    with edge.delivery("train", event) as services:
        world = steps.World(services.state, services.topics, services.clock, lambda: services.jobs)
        if edge.schema(event) == TrainingRequested.schema_name:
            steps.on_request(edge.message(event, TrainingRequested), world)
        else:
            steps.on_batch(edge.message(event, BatchAccepted), event.get("id"), world)
