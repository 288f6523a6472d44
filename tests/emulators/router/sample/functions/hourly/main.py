"""What a schedule starts."""

import functions_framework
from cloudevents.http import CloudEvent

from .record import record


@functions_framework.cloud_event
def hourly(event: CloudEvent) -> None:
    """Record."""
    record("hourly", event)
