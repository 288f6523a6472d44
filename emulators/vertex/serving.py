"""What serves now: the processes of each deployed model, and whose turn it is on each endpoint."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from emulators.vertex.containers import inherited, prediction_variables, routes, spec_variables
from emulators.vertex.errors import FailedPrecondition, NotFound, Unavailable
from emulators.vertex.images import NoSuchImage, find_image
from emulators.vertex.machines import machine_type, replica_counts
from emulators.vertex.names import last_segment
from emulators.vertex.replicas import Container, Deployment
from emulators.vertex.schema import Json
from emulators.vertex.traffic import TrafficSplit

Key = tuple[str, str]  # endpoint's name, deployed model's id


class Serving:
    """All deployments. It follows the stored endpoints and stores nothing itself."""

    def __init__(self, logs: Path) -> None:
        self.logs = logs
        self._deployments: dict[Key, Deployment] = {}
        self._splits: dict[str, TrafficSplit] = {}
        self._endpoints: dict[str, Json] = {}
        self._shown: dict[Key, Json] = {}
        self._endings: set[asyncio.Task[None]] = set()

    def route(self, endpoint: Json) -> None:
        """Follow an endpoint's traffic split; turns go on where they were when it has not changed."""
        name = endpoint["name"]
        self._endpoints[name] = endpoint
        fresh = TrafficSplit(endpoint["trafficSplit"])
        current = self._splits.get(name)
        if current is None or current.shares != fresh.shares:
            self._splits[name] = fresh
        for key in [key for key in self._shown if key[0] == name]:
            del self._shown[key]
        for deployed in endpoint["deployedModels"]:
            self._shown[name, deployed["id"]] = deployed

    def unroute(self, endpoint: str) -> None:
        """Forget an endpoint."""
        self._splits.pop(endpoint, None)
        self._endpoints.pop(endpoint, None)

    def endpoint(self, name: str) -> Json:
        """A known endpoint as it is stored."""
        return self._endpoints[name]

    def next_deployment(self, endpoint: str) -> tuple[Json, Deployment] | None:
        """The deployed model whose turn it is; None when the endpoint is not known.

        Raises:
            FailedPrecondition: nothing is deployed, or nothing has traffic.
            Unavailable: its processes could not be started.
        """
        split = self._splits.get(endpoint)
        if split is None:
            return None
        deployed_id = split.turn()
        if deployed_id is None:
            raise FailedPrecondition(f"Endpoint `{endpoint}` has no deployed model with traffic.")
        return self.deployment_of(endpoint, deployed_id)

    def deployment_of(self, endpoint: str, deployed_id: str) -> tuple[Json, Deployment]:
        """One deployed model and its processes.

        Raises:
            NotFound: the endpoint has no such model.
            Unavailable: its processes could not be started.
        """
        if (endpoint, deployed_id) not in self._shown:
            raise NotFound(f"DeployedModel {deployed_id} is not on Endpoint `{endpoint}`.")
        deployment = self._deployments.get((endpoint, deployed_id))
        if deployment is None:
            raise Unavailable(f"DeployedModel {deployed_id} of Endpoint `{endpoint}` has no running model server.")
        return self._shown[endpoint, deployed_id], deployment

    def _deployment(self, endpoint: str, deployed: Json, version: Json) -> Deployment:
        spec = version["containerSpec"]
        image = find_image(spec["imageUri"])
        resources = deployed["dedicatedResources"]
        machine, (least, _) = machine_type(resources), replica_counts(resources)
        predict_route, health_route = routes(spec, last_segment(endpoint), deployed["id"])

        def variables(port: int) -> dict[str, str]:
            return spec_variables(spec, prediction_variables(version, endpoint, deployed["id"], port, machine))

        container = Container(
            command=lambda port: image.command_line(spec.get("command", []), spec.get("args", []), variables(port)),
            environment=lambda port: {**inherited(), **image.environment, **variables(port)},
            folder=image.folder,
            predict_route=predict_route,
            health_route=health_route,
        )
        logs = self.logs / "endpoints" / last_segment(endpoint) / deployed["id"]
        return Deployment(container, least, logs)

    async def deploy(self, endpoint: str, deployed: Json, version: Json) -> None:
        """Start a deployed model's processes and wait until all are healthy.

        Raises:
            FailedPrecondition: they never were, or nothing plays the image.
        """
        try:
            deployment = self._deployment(endpoint, deployed, version)
        except NoSuchImage as error:
            raise FailedPrecondition(str(error)) from error
        deployment.start()
        try:
            await deployment.ready()
        except BaseException:
            await deployment.stop(drain=False)
            raise
        self._deployments[endpoint, deployed["id"]] = deployment

    def start(self, endpoint: str, deployed: Json, version: Json) -> None:
        """Start a deployed model's processes again, after a restart of the emulator; not waited for."""
        try:
            deployment = self._deployment(endpoint, deployed, version)
        except NoSuchImage as error:
            print(f"DeployedModel {deployed['id']} was not started: {error}", file=sys.stderr, flush=True)
            return
        deployment.start()
        self._deployments[endpoint, deployed["id"]] = deployment

    @contextlib.asynccontextmanager
    async def temporary(self, job: str, version: Json, resources: Json) -> AsyncIterator[Deployment]:
        """A model's processes for the length of a job.

        Raises:
            FailedPrecondition: they never became healthy, or nothing plays the image.
        """
        key = (job, last_segment(job))
        await self.deploy(job, {"id": key[1], "dedicatedResources": resources}, version)
        try:
            yield self._deployments[key]
        finally:
            await self._deployments.pop(key).stop(drain=False)

    def abandon(self, endpoint: str, deployed_id: str) -> None:
        """Stop processes that were started in vain and never had a request; `stop` waits for their end."""
        deployment = self._deployments.pop((endpoint, deployed_id), None)
        if deployment is not None:
            task = asyncio.create_task(deployment.stop(drain=False))
            self._endings.add(task)
            task.add_done_callback(self._endings.discard)

    async def undeploy(self, endpoint: str, deployed_id: str) -> None:
        """Let requests end, then stop the processes."""
        deployment = self._deployments.pop((endpoint, deployed_id), None)
        if deployment is not None:
            await deployment.stop(drain=True)

    def scalable(self) -> Iterator[tuple[Key, tuple[Deployment, Json]]]:
        """The deployed models that may have several replicas, and their resources."""
        for key, deployed in self._shown.items():
            resources = deployed["dedicatedResources"]
            if key in self._deployments and replica_counts(resources)[1] > 1:
                yield key, (self._deployments[key], resources)

    async def resize(self, endpoint: str, deployed_id: str, resources: Json) -> None:
        """Bring the number of replicas of a deployed model between the bounds of its resources."""
        deployment = self._deployments.get((endpoint, deployed_id))
        if deployment is None:
            raise FailedPrecondition(f"DeployedModel {deployed_id} has no running model server.")
        least, most = replica_counts(resources)
        await deployment.resize(min(max(len(deployment.replicas), least), most))

    def status(self, endpoint: str, deployed_id: str) -> Json:
        """The `status` field of a deployed model."""
        deployment = self._deployments.get((endpoint, deployed_id))
        healthy = 0 if deployment is None else sum(replica.healthy.is_set() for replica in deployment.replicas)
        return {"status": {"availableReplicaCount": healthy}}

    def processes(self) -> list[Json]:
        """Every replica, for the control plane."""
        return [
            {
                "endpoint": endpoint,
                "deployedModelId": deployed_id,
                "pid": replica.pid,
                "healthy": replica.healthy.is_set(),
            }
            for (endpoint, deployed_id), deployment in self._deployments.items()
            for replica in deployment.replicas
        ]

    async def stop(self) -> None:
        """Stop all processes and forget all routes."""
        deployments = list(self._deployments.values())
        self._deployments.clear()
        self._splits.clear()
        self._endpoints.clear()
        self._shown.clear()
        await asyncio.gather(*(deployment.stop(drain=False) for deployment in deployments), *self._endings)
