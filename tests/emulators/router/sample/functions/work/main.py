"""Do what the message says: `ok`, `fail [UNTIL]`, `sleep SECONDS`, `hog MEGABYTES`, `spawn MEGABYTES`, `exit`."""

import functions_framework
from cloudevents.http import CloudEvent

from .obey import obey
from .record import record


@functions_framework.cloud_event
def work(event: CloudEvent) -> None:
    """Record, then obey."""
    record("work", event)
    obey(event)
