"""batch.accepted in, alert.raised out: how good what serves was on rows that it had not seen."""

import functions_framework
import steps  # type: ignore[import-not-found]  # it lies beside main.py in the bundle

from dropforge.contracts.events import BatchAccepted
from dropforge.gcp import edge


@functions_framework.cloud_event
def monitor(event: edge.CloudEvent) -> None:
    """One delivery of batch.accepted."""
    with edge.delivery("monitor", event) as services:
        accepted = edge.message(event, BatchAccepted)
        steps.on_batch(accepted, services.state, services.topics, lambda: services.platform, services.clock)
