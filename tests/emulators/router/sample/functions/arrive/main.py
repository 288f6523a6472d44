"""Record each object that arrives."""

import functions_framework
from cloudevents.http import CloudEvent

from .record import record


@functions_framework.cloud_event
def arrive(event: CloudEvent) -> None:
    """Write down the whole event."""
    record("arrive", event)
