"""A schedule in; log.day.ended and, in BigQuery, logged predictions and labels out."""

import functions_framework
import steps  # type: ignore[import-not-found]  # it lies beside main.py in the bundle

from dropforge.gcp import edge


@functions_framework.cloud_event
def archive(event: edge.CloudEvent) -> None:
    """One delivery of the schedule."""
    with edge.delivery("archive", event) as services:
        steps.tell_of_days(services.state, services.topics, services.clock)
        steps.archive(services.state, services.warehouse)
