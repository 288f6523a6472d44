"""batch.accepted or training.requested in, model.trained out: whether to train now, and on what."""

import functions_framework
import steps  # type: ignore[import-not-found]  # it lies beside main.py in the bundle

from dropforge.contracts.events import BatchAccepted, TrainingRequested
from dropforge.gcp import edge
from dropforge.ml import trigger


@functions_framework.cloud_event
def train(event: edge.CloudEvent) -> None:
    """One delivery of batch.accepted or training.requested."""
    with edge.delivery("train", event) as services:
        if edge.schema(event) == TrainingRequested.schema_name:
            asked = edge.message(event, TrainingRequested)
            known = asked.request_id, asked.asked_by, asked.because
            trigger.on_request(asked.pipeline, *known, services.state, services.topics, services.clock)
            return
        accepted = edge.message(event, BatchAccepted)
        steps.on_batch(accepted, event.get("id"), services.state, services.topics, services.clock)
