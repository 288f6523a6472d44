"""Messages to Pub/Sub by its REST interface: its client library takes 0.3 s to import, this nothing."""

from base64 import b64encode
from collections.abc import Sequence

import orjson

from dropforge.contracts.errors import ServiceUnavailable
from dropforge.contracts.settings import Settings
from dropforge.gcp.rest import Token

from .upstream import Upstream

Message = tuple[bytes, dict[str, str]]  # data and attributes


class Publisher:
    """The topics of one project."""

    def __init__(self, settings: Settings, upstream: Upstream) -> None:
        api = settings.pubsub_api or "https://pubsub.googleapis.com"
        self._topics = f"{api.rstrip('/')}/v1/projects/{settings.project}/topics"
        self._token = Token(emulated=settings.pubsub_api is not None)
        self._upstream = upstream

    async def publish(self, topic: str, messages: Sequence[Message]) -> None:
        """Send; returns once Pub/Sub has acknowledged. A try that broke off may have sent, so receivers take repeats.

        Raises:
            ServiceUnavailable: it does not take them.
        """
        url = f"{self._topics}/{topic}:publish"
        listed = [{"data": b64encode(data).decode(), "attributes": attributes} for data, attributes in messages]
        answer = await self._upstream.post(url, self._token, orjson.dumps({"messages": listed}))
        if answer.status != 200:
            raise ServiceUnavailable(f"{url}: {answer.status} {answer.body[:300]!r}.", topic=topic)
