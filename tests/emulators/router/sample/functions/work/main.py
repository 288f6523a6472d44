"""Do what the message says: `ok`, `fail`, `sleep SECONDS`, `hog MEGABYTES`, `exit`, `fail until N deliveries`."""

import functions_framework
from cloudevents.http import CloudEvent

from .obey import obey
from .record import record


@functions_framework.cloud_event
def work(event: CloudEvent) -> None:
    """Record, then obey."""
    record("work", event)
    obey(event)
