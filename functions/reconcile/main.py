"""What came no further goes on: every few minutes, the bucket is held against the ledger."""

import functions_framework
import steps  # type: ignore[import-not-found]  # it lies beside main.py in the bundle

from dropforge.gcp import edge


@functions_framework.cloud_event
def reconcile(event: edge.CloudEvent) -> None:
    """One message of Cloud Scheduler."""
    with edge.delivery("reconcile", event) as services:
        steps.reconcile(services.landing, services.state, services.topics, edge.happened(event))
