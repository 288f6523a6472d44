"""Models deployed to endpoints, taken off again, and scaled."""

from google.cloud.aiplatform_v1 import types

from emulators.vertex.calls import Call, Handler
from emulators.vertex.endpoints import Endpoints, deployed_ids
from emulators.vertex.errors import AlreadyExists, FailedPrecondition, InvalidArgument, NotFound
from emulators.vertex.explanations import check_spec, merged
from emulators.vertex.machines import replica_counts
from emulators.vertex.names import fresh_id, location_of
from emulators.vertex.operations import Finish, Operations
from emulators.vertex.quotas import SERVING, Quotas, serving_cpus
from emulators.vertex.schema import Json, mask_fields
from emulators.vertex.serving import Key, Serving
from emulators.vertex.traffic import NEW_MODEL, check_split
from emulators.vertex.versions import Versions

_RESOURCES = "dedicatedResources"
_MUTABLE = frozenset({_RESOURCES, "disableContainerLogging"})


class Deployments:
    """Calls of `endpoints` that start and stop model servers."""

    def __init__(
        self, operations: Operations, versions: Versions, endpoints: Endpoints, serving: Serving, quotas: Quotas
    ) -> None:
        self._quotas = quotas
        self._operations = operations
        self._versions = versions
        self._endpoints = endpoints
        self._serving = serving
        operations.register("endpoints.deployModel", self._carry_out_deploy, self._abandon)
        operations.register("endpoints.undeployModel", self._carry_out_undeploy)
        operations.register("endpoints.mutateDeployedModel", self._carry_out_mutate)

    def handlers(self) -> dict[str, Handler]:
        """Calls by name."""
        return {
            "aiplatform.endpoints.deployModel": self.deploy_model,
            "aiplatform.endpoints.undeployModel": self.undeploy_model,
            "aiplatform.endpoints.mutateDeployedModel": self.mutate_deployed_model,
        }

    def restore(self) -> None:
        """Start the processes of everything that was deployed when the emulator ended."""
        for endpoint in self._endpoints.all():
            self._serving.route(endpoint)
            for deployed in endpoint["deployedModels"]:
                self._serving.start(endpoint["name"], deployed, self._version_of(deployed))

    def _version_of(self, deployed: Json) -> Json:
        return self._versions.version(f"{deployed['model']}@{deployed['modelVersionId']}")

    async def deploy_model(self, call: Call) -> Json:
        """Start a model's processes and, once they are healthy, give them their share of the traffic."""
        endpoint = self._endpoints.existing(call.name)
        request = call.message(types.DeployModelRequest)
        deployed = request.get("deployedModel", {})
        version = self._versions.version(deployed.get("model", ""))
        _check_counts(deployed.get(_RESOURCES))
        deployed_id = deployed.get("id") or fresh_id()
        self._check_quota(call.name, deployed_id, deployed[_RESOURCES])
        if deployed_id in deployed_ids(endpoint) | self._coming(call.name):
            raise AlreadyExists(f"DeployedModel {deployed_id} is on the Endpoint already.")
        split = request.get("trafficSplit", {})
        if split:
            check_split(split, deployed_ids(endpoint) | {NEW_MODEL})
        spec = merged(version.get("explanationSpec", {}), deployed.pop("explanationSpec", {}))
        if spec and not deployed.get("disableExplanations"):
            check_spec(spec)
            deployed["explanationSpec"] = spec
        deployed |= {
            "id": deployed_id,
            "model": version["name"],
            "modelVersionId": version["versionId"],
            "displayName": deployed.get("displayName") or version["displayName"],
        }
        payload = {"endpoint": call.name, "deployed": deployed, "split": split}
        return self._operations.start(
            "endpoints.deployModel",
            call.name,
            payload,
            metadata="DeployModelOperationMetadata",
            response="DeployModelResponse",
        )

    def _coming(self, endpoint: str) -> set[str]:
        """The ids of the models that are being deployed to an endpoint."""
        payloads = self._operations.under_way("endpoints.deployModel")
        return {payload["deployed"]["id"] for payload in payloads if payload["endpoint"] == endpoint}

    def _check_quota(self, endpoint: str, deployed_id: str, resources: Json) -> None:
        """Refuse a deployed model, new or changed, for which the location has not CPUs enough."""
        location = location_of(endpoint)
        wanted = self._resources_in(location) | {(endpoint, deployed_id): resources}
        self._quotas.check(SERVING, sum(map(serving_cpus, wanted.values())), location)

    def _resources_in(self, location: str) -> dict[Key, Json]:
        """Those of all deployed models of a location, as they are or are about to be."""
        found = {
            (endpoint["name"], model["id"]): model[_RESOURCES]
            for endpoint in self._endpoints.all()
            for model in endpoint["deployedModels"]
        }
        for payload in self._operations.under_way("endpoints.deployModel"):
            found[payload["endpoint"], payload["deployed"]["id"]] = payload["deployed"][_RESOURCES]
        for payload in self._operations.under_way("endpoints.mutateDeployedModel"):
            if _RESOURCES in payload["changes"]:
                found[payload["endpoint"], payload["id"]] = payload["changes"][_RESOURCES]
        return {key: resources for key, resources in found.items() if location_of(key[0]) == location}

    async def _carry_out_deploy(self, payload: Json) -> Finish:
        name, deployed = payload["endpoint"], payload["deployed"]
        await self._serving.deploy(name, deployed, self._version_of(deployed))
        return lambda: self._add_deployed(name, deployed, payload["split"])

    def _abandon(self, payload: Json) -> None:
        self._serving.abandon(payload["endpoint"], payload["deployed"]["id"])

    def _add_deployed(self, name: str, deployed: Json, split: dict[str, int]) -> Json:
        endpoint = self._endpoints.existing(name)
        added = deployed | {"createTime": self._operations.timestamp()}
        endpoint["deployedModels"].append(added)
        if split:
            named = {added["id"] if key == NEW_MODEL else key: share for key, share in split.items()}
            check_split(named, deployed_ids(endpoint))
            endpoint["trafficSplit"] = named
        self._endpoints.keep(endpoint)
        return {"deployedModel": added}

    async def undeploy_model(self, call: Call) -> Json:
        """Take a model's traffic away, let its requests end, stop its processes."""
        endpoint = self._endpoints.existing(call.name)
        request = call.message(types.UndeployModelRequest)
        deployed_id, split = request.get("deployedModelId", ""), request.get("trafficSplit", {})
        self._after_undeploy(endpoint, deployed_id, split)
        payload = {"endpoint": call.name, "id": deployed_id, "split": split}
        return self._operations.start(
            "endpoints.undeployModel",
            call.name,
            payload,
            metadata="UndeployModelOperationMetadata",
            response="UndeployModelResponse",
        )

    @staticmethod
    def _after_undeploy(endpoint: Json, deployed_id: str, split: dict[str, int]) -> dict[str, int]:
        """The traffic split without this model."""
        remaining = deployed_ids(endpoint) - {deployed_id}
        if deployed_id not in deployed_ids(endpoint):
            raise NotFound(f"DeployedModel {deployed_id} is not on Endpoint `{endpoint['name']}`.")
        if not remaining:
            return {}
        wanted: dict[str, int] = {**(split or endpoint["trafficSplit"])}
        if wanted.pop(deployed_id, 0):
            raise FailedPrecondition(f"DeployedModel {deployed_id} has traffic and cannot be undeployed.")
        if wanted:
            check_split(wanted, remaining)
        return wanted

    async def _carry_out_undeploy(self, payload: Json) -> Finish:
        name, deployed_id = payload["endpoint"], payload["id"]
        endpoint = self._endpoints.existing(name)
        endpoint["trafficSplit"] = self._after_undeploy(endpoint, deployed_id, payload["split"])
        self._endpoints.keep(endpoint)
        await self._serving.undeploy(name, deployed_id)

        def finish() -> Json:
            endpoint = self._endpoints.existing(name)
            endpoint["deployedModels"] = [model for model in endpoint["deployedModels"] if model["id"] != deployed_id]
            self._endpoints.keep(endpoint)
            return {}

        return finish

    async def mutate_deployed_model(self, call: Call) -> Json:
        """Change the bounds of the number of replicas, the metrics that it follows, or whether the container logs."""
        request = call.message(types.MutateDeployedModelRequest)
        given = request.get("deployedModel", {})
        present = self._deployed_model(self._endpoints.existing(call.name), given.get("id", ""))
        mask = request.get("updateMask", "")
        fields = mask_fields(mask)
        if not fields or set(fields) - _MUTABLE:
            raise InvalidArgument(
                f"Expected a mask of dedicated_resources and disable_container_logging. Got {mask!r}."
            )
        changes = {field: given.get(field) for field in fields}
        if changes.get(_RESOURCES) is not None:  # what was not given stays: machine, bounds, metrics
            changes[_RESOURCES] = present[_RESOURCES] | changes[_RESOURCES]
        if _RESOURCES in changes:
            _check_counts(changes[_RESOURCES])
            if serving_cpus(changes[_RESOURCES]) > serving_cpus(present[_RESOURCES]):
                self._check_quota(call.name, present["id"], changes[_RESOURCES])
        payload = {"endpoint": call.name, "id": present["id"], "changes": changes}
        return self._operations.start(
            "endpoints.mutateDeployedModel",
            call.name,
            payload,
            metadata="MutateDeployedModelOperationMetadata",
            response="MutateDeployedModelResponse",
        )

    async def _carry_out_mutate(self, payload: Json) -> Finish:
        if _RESOURCES in payload["changes"]:
            await self._serving.resize(payload["endpoint"], payload["id"], payload["changes"][_RESOURCES])

        def finish() -> Json:
            endpoint = self._endpoints.existing(payload["endpoint"])
            model = self._deployed_model(endpoint, payload["id"])
            model |= payload["changes"]
            self._endpoints.keep(endpoint)
            return {"deployedModel": model}

        return finish

    @staticmethod
    def _deployed_model(endpoint: Json, deployed_id: str) -> Json:
        """The entry of one of an endpoint's models."""
        for model in endpoint["deployedModels"]:
            if model["id"] == deployed_id:
                found: Json = model
                return found
        raise NotFound(f"DeployedModel {deployed_id} is not on Endpoint `{endpoint['name']}`.")


def _check_counts(resources: Json | None) -> None:
    if resources is None:
        raise InvalidArgument("'dedicated_resources' are required to deploy a custom-trained Model.")
    least, most = replica_counts(resources)
    if least < 1 or most < least:
        raise InvalidArgument(f"Expected 1 <= min_replica_count <= max_replica_count. Got {least} and {most}.")
