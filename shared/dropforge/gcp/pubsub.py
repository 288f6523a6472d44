"""`Topics` on Pub/Sub."""

from google.api_core.retry import Retry
from google.cloud.pubsub_v1 import PublisherClient
from google.cloud.pubsub_v1.types import BatchSettings

from dropforge.contracts.events import Event
from dropforge.gcp import tracing
from dropforge.gcp.errors import translated

PATIENCE = 60.0  # seconds for one publish with its retries; then the delivery that wanted it is repeated


class PubSub:
    """The topics of one project; `PUBSUB_EMULATOR_HOST` is the client's own business."""

    def __init__(self, client: PublisherClient, project: str) -> None:
        self._client = client
        self._project = project

    @staticmethod
    def connect() -> PublisherClient:
        """A client that sends each message at once: a delivery publishes one or two, so waiting gathers nothing."""
        return PublisherClient(batch_settings=BatchSettings(max_messages=1))

    def publish(self, event: Event) -> None:
        """As `Topics.publish`."""
        data, attributes = event.message()
        attributes |= tracing.attributes()
        topic = self._client.topic_path(self._project, event.topic)
        with translated(f"Publishing to {topic}", topic=event.topic, pipeline=event.pipeline):
            sent = self._client.publish(topic, data, retry=Retry(timeout=PATIENCE), **attributes)
            sent.result(timeout=PATIENCE + 5)
