"""batch.accepted and labels.recorded in, alert.raised out: how good what serves was on what it had not seen."""

import functions_framework
import steps  # type: ignore[import-not-found]  # it lies beside main.py in the bundle

from dropforge.contracts.events import BatchAccepted, LabelsRecorded
from dropforge.core.logged.tables import Remembered
from dropforge.gcp import edge

READ = Remembered()


@functions_framework.cloud_event
def monitor(event: edge.CloudEvent) -> None:
    """One delivery of either."""
    with edge.delivery("monitor", event) as services:
        ports = services.state, services.topics, lambda: services.platform, services.clock
        if edge.schema(event) == LabelsRecorded.schema_name:
            steps.on_labels(edge.message(event, LabelsRecorded), *ports, READ)
        else:
            steps.on_batch(edge.message(event, BatchAccepted), *ports)
