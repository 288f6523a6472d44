"""batch.accepted, labels.recorded and log.day.ended in, alert.raised out: how good what serves was, and what it met."""

import functions_framework
import steps  # type: ignore[import-not-found]  # it lies beside main.py in the bundle

from dropforge.contracts.events import BatchAccepted, LabelsRecorded, LogDayEnded
from dropforge.core.logged.tables import Remembered
from dropforge.gcp import edge

READ = Remembered()


@functions_framework.cloud_event
def monitor(event: edge.CloudEvent) -> None:
    """One delivery of any of them."""
    with edge.delivery("monitor", event) as services:
        ports = services.state, services.topics, lambda: services.platform, services.clock
        schema = edge.schema(event)
        if schema == LogDayEnded.schema_name:
            steps.on_day(edge.message(event, LogDayEnded), services.state, services.topics, services.clock, READ)
        elif schema == LabelsRecorded.schema_name:
            steps.on_labels(edge.message(event, LabelsRecorded), *ports, READ)
        else:
            steps.on_batch(edge.message(event, BatchAccepted), *ports)
