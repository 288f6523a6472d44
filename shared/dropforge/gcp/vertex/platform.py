"""Registry and endpoints together: `Platform` as the ports want it."""

import time
from typing import Any, Self

import requests
from google.cloud.aiplatform_v1 import EndpointServiceClient, ModelServiceClient

from dropforge.contracts.errors import ServiceUnavailable
from dropforge.contracts.settings import Settings
from dropforge.core.ports import Deployed
from dropforge.gcp.errors import translated
from dropforge.gcp.vertex.connection import Connection
from dropforge.gcp.vertex.endpoints import NEW, Endpoints, deployment_of
from dropforge.gcp.vertex.operations import all_finished
from dropforge.gcp.vertex.registry import Registry, digests_of

_ANSWER = 60.0  # seconds for one prediction, the service's own limit


class Vertex:
    """Vertex AI in one project and location."""

    def __init__(self, registry: Registry, endpoints: Endpoints, http: requests.Session, api: str) -> None:
        self._registry = registry
        self._endpoints = endpoints
        self._http = http
        self._api = api

    @classmethod
    def connect(cls, settings: Settings) -> Self:
        """The service, or the emulator where the settings name one."""
        to = Connection.of(settings)
        registry = Registry(ModelServiceClient(**to.client), to.parent, settings.model_image)
        return cls(registry, Endpoints(EndpointServiceClient(**to.client), to.parent), to.http, to.api)

    def register(
        self, pipeline: str, candidate_id: str, artefact_uri: str, sha256: str, compiled_sha256: str | None = None
    ) -> tuple[str, str]:
        """As `Platform.register`."""
        return self._registry.register(pipeline, candidate_id, artefact_uri, digests_of(sha256, compiled_sha256))

    def deploy(self, pipeline: str, model: str, version: str) -> Deployed:
        """As `Platform.deploy`: at once to the serving endpoint, without traffic, and to the staging one, with all.

        A version that has traffic already has been asked before, and needs no staging.
        """
        serving = self._endpoints.ensure(pipeline)
        there = deployment_of(serving, model, version)
        if there is not None and serving.traffic_split.get(there.id, 0) > 0:
            return Deployed(model=model, version=version, endpoint=serving.name, deployed_model_id=there.id)
        staging = self._endpoints.ensure(pipeline, staging=True)
        running = []
        if there is None:
            running.append(self._endpoints.deploy(serving, model, version, {}))
        rehearsing = deployment_of(staging, model, version)
        if rehearsing is None:
            running.append(self._endpoints.deploy(staging, model, version, {NEW: 100}))
        elif staging.traffic_split.get(rehearsing.id) != 100:
            self._endpoints.give_traffic(staging.name, {rehearsing.id: 100})
        all_finished((operation, f"The deployment of {model}@{version}") for operation in running)
        deployed = deployment_of(self._endpoints.ensure(pipeline), model, version)
        if deployed is None:
            raise ServiceUnavailable(f"{serving.name} does not show {model}@{version} after its deployment.")
        return Deployed(model=model, version=version, endpoint=serving.name, deployed_model_id=deployed.id)

    def answer(self, deployed: Deployed, instances: list[dict[str, object]]) -> list[object]:
        """As `Platform.answer`: the serving endpoint answers once it sends all traffic to this model, else staging.

        The answer names the version that gave it, which is checked, so a stale split cannot be taken for an answer.
        """
        endpoint = self._where(deployed)
        predictions: list[object] = self._asked(endpoint, deployed, instances)["predictions"]
        return predictions

    def timed(self, deployed: Deployed, instances: list[dict[str, object]]) -> list[float]:
        """As `Platform.timed`: of the whole call, so with what the network and the endpoint add."""
        endpoint = self._where(deployed)
        seconds = []
        for instance in instances:
            began = time.perf_counter()
            self._asked(endpoint, deployed, [instance])
            seconds.append(time.perf_counter() - began)
        return seconds

    def _where(self, deployed: Deployed) -> str:
        """The endpoint that sends every request to this model."""
        with translated(f"Looking at {deployed.endpoint}", endpoint=deployed.endpoint):
            split = self._endpoints.get(deployed.endpoint).traffic_split
        serves = split.get(deployed.deployed_model_id) == 100
        return deployed.endpoint if serves else _staging(deployed.endpoint)

    def _asked(self, endpoint: str, deployed: Deployed, instances: list[dict[str, object]]) -> dict[str, Any]:
        url = f"{self._api}/v1/{endpoint}:predict"
        with translated(f"Asking {endpoint}", endpoint=endpoint):
            answered = self._http.post(url, json={"instances": instances}, timeout=_ANSWER)
        if not answered.ok:
            raise ServiceUnavailable(
                f"{endpoint} answered {answered.status_code}: {answered.text[:500]}", endpoint=endpoint
            )
        body: dict[str, Any] = answered.json()
        if body.get("modelVersionId") != deployed.version:
            raise ServiceUnavailable(
                f"Expected an answer of version {deployed.version}. Found one of {body.get('modelVersionId')!r}.",
                endpoint=endpoint,
            )
        return body

    def share(self, champion: Deployed, challenger: Deployed, percent: int) -> None:
        """As `Platform.share`; the staging endpoint is emptied, for the challenger was asked there already."""
        split = {champion.deployed_model_id: 100 - percent, challenger.deployed_model_id: percent}
        self._endpoints.give_traffic(champion.endpoint, split)
        self._endpoints.undeploy_all_but(champion.endpoint, split)
        self._endpoints.undeploy_all_but(_staging(champion.endpoint), ())

    def serve(self, deployed: Deployed) -> None:
        """As `Platform.serve`."""
        self._endpoints.give_traffic(deployed.endpoint, {deployed.deployed_model_id: 100})
        self._registry.crown(deployed.model, deployed.version)

    def retire(self, deployed: Deployed) -> None:
        """As `Platform.retire`; the staging endpoint is emptied too, so that it costs nothing between publications."""
        self._endpoints.undeploy_all_but(deployed.endpoint, (deployed.deployed_model_id,))
        self._endpoints.undeploy_all_but(_staging(deployed.endpoint), ())

    def close(self) -> None:
        """Close every connection."""
        self._registry.close()
        self._endpoints.close()
        self._http.close()


def _staging(endpoint: str) -> str:
    return f"{endpoint}-staging"
