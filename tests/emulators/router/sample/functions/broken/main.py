"""Never gets as far as its function."""

import functions_framework
from cloudevents.http import CloudEvent

raise RuntimeError("this function cannot be loaded")


@functions_framework.cloud_event
def broken(event: CloudEvent) -> None:
    """Is never reached."""
