"""What a function has at hand. Each part is made, and its client library imported, when it is first asked for."""

import time
from functools import cached_property
from typing import TYPE_CHECKING

from dropforge.contracts.settings import Settings
from dropforge.core.ports import Clock, Jobs, Objects, Platform, Topics, Warehouse

if TYPE_CHECKING:
    from google.cloud.storage import Client


class WallClock:
    """The machine's time."""

    def now(self) -> float:
        """As `Clock.now`."""
        return time.time()


class Services:
    """The ports on Google Cloud, or on the emulators that the clients' own variables point to."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.clock: Clock = WallClock()

    @cached_property
    def landing(self) -> Objects:
        """The bucket where files are dropped."""
        return self._bucket(self.settings.landing_bucket)

    @cached_property
    def state(self) -> Objects:
        """The bucket of everything that Dropforge writes."""
        return self._bucket(self.settings.state_bucket)

    @cached_property
    def topics(self) -> Topics:
        """Where events go."""
        from dropforge.gcp.pubsub import PubSub

        return PubSub(PubSub.connect(), self.settings.project)

    @cached_property
    def warehouse(self) -> Warehouse:
        """BigQuery."""
        from dropforge.gcp.bigquery import Dataset

        return Dataset(Dataset.connect(self.settings.project, self.settings.location), self.settings.dataset)

    @cached_property
    def platform(self) -> Platform:
        """Vertex AI: registry and endpoints, or the registry alone where `predict` answers by itself."""
        from dropforge.gcp.vertex import Inline, Vertex

        if self.settings.predict_backend == "inline":
            return Inline.connect(self.settings, self.state)
        return Vertex.connect(self.settings)

    @cached_property
    def jobs(self) -> Jobs:
        """Vertex AI's custom jobs."""
        from dropforge.gcp.vertex.jobs import CustomJobs

        return CustomJobs.connect(self.settings)

    @cached_property
    def _storage(self) -> "Client":
        from google.cloud.storage import Client

        return Client(project=self.settings.project)

    def _bucket(self, name: str) -> Objects:
        from dropforge.gcp.storage import Bucket

        return Bucket(self._storage, name)
