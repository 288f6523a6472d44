"""Record and take a while, so that two at once can be seen."""

import time

import functions_framework
from cloudevents.http import CloudEvent

from .record import record


@functions_framework.cloud_event
def pair(event: CloudEvent) -> None:
    """Write down when it began."""
    record("pair", event)
    time.sleep(0.4)
