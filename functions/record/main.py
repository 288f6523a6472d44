"""predictions.logged and labels.given in, kept each in its partition; labels.recorded out."""

import functions_framework
import steps  # type: ignore[import-not-found]  # it lies beside main.py in the bundle

from dropforge.contracts.events import LabelsGiven, PredictionsLogged
from dropforge.gcp import edge


@functions_framework.cloud_event
def record(event: edge.CloudEvent) -> None:
    """One delivery of either."""
    with edge.delivery("record", event) as services:
        if edge.schema(event) == LabelsGiven.schema_name:
            steps.keep_labels(edge.message(event, LabelsGiven), services.state, services.topics)
        else:
            steps.keep_predictions(edge.message(event, PredictionsLogged), services.state, services.topics)
