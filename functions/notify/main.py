"""alert.raised in: kept in the inbox, and sent through each channel that is set up."""

import functions_framework
import sending  # type: ignore[import-not-found]  # it lies beside main.py in the bundle
import steps  # type: ignore[import-not-found]  # as above

from dropforge.contracts.events import AlertRaised
from dropforge.gcp import edge

CHANNELS = sending.read()


@functions_framework.cloud_event
def notify(event: edge.CloudEvent) -> None:
    """One delivery of alert.raised."""
    with edge.delivery("notify", event) as services:
        steps.tell(edge.message(event, AlertRaised), CHANNELS, services.state, services.clock)
