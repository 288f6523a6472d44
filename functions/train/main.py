"""batch.accepted in, model.trained out: whether to train now, and on what."""

import functions_framework
import steps  # type: ignore[import-not-found]  # it lies beside main.py in the bundle

from dropforge.contracts.events import BatchAccepted
from dropforge.gcp import edge


@functions_framework.cloud_event
def train(event: edge.CloudEvent) -> None:
    """One delivery of batch.accepted."""
    with edge.delivery("train", event) as services:
        accepted = edge.message(event, BatchAccepted)
        steps.on_batch(accepted, event.get("id"), services.state, services.topics, services.clock)
