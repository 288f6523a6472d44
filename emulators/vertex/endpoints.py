"""Endpoints: created, listed, changed; models deployed to them and taken off again."""

from google.cloud.aiplatform_v1 import types

from emulators.vertex.calls import Call, Handler
from emulators.vertex.errors import AlreadyExists, FailedPrecondition, InvalidArgument, NotFound
from emulators.vertex.listing import page
from emulators.vertex.models import Models, check_labels, fresh_etag
from emulators.vertex.names import fresh_id
from emulators.vertex.operations import Finish, Operations
from emulators.vertex.schema import Json, mask_fields, patched
from emulators.vertex.serving import Serving
from emulators.vertex.state import Store
from emulators.vertex.traffic import NEW_MODEL, check_split

KIND = "endpoint"
_CHANGEABLE = frozenset(
    {
        "displayName",
        "description",
        "labels",
        "trafficSplit",
        "predictRequestResponseLoggingConfig",
        "clientConnectionConfig",
        "dedicatedEndpointEnabled",
    }
)
_OUTPUT_ONLY = frozenset({"name", "deployedModels", "trafficSplit", "etag", "createTime", "updateTime"})
_RESOURCES = "dedicatedResources"


class Endpoints:
    """Calls below `endpoints`, except predictions."""

    def __init__(self, store: Store, operations: Operations, models: Models, serving: Serving) -> None:
        self._store = store
        self._operations = operations
        self._models = models
        self._serving = serving
        operations.register("endpoints.create", self._carry_out_create)
        operations.register("endpoints.delete", self._carry_out_delete)
        operations.register("endpoints.deployModel", self._carry_out_deploy)
        operations.register("endpoints.undeployModel", self._carry_out_undeploy)
        operations.register("endpoints.mutateDeployedModel", self._carry_out_mutate)
        operations.register("endpoints.update", self._carry_out_update)

    def handlers(self) -> dict[str, Handler]:
        """Calls by name."""
        return {
            "aiplatform.endpoints.create": self.create,
            "aiplatform.endpoints.get": self.get,
            "aiplatform.endpoints.list": self.list,
            "aiplatform.endpoints.patch": self.patch,
            "aiplatform.endpoints.update": self.update,
            "aiplatform.endpoints.delete": self.delete,
            "aiplatform.endpoints.deployModel": self.deploy_model,
            "aiplatform.endpoints.undeployModel": self.undeploy_model,
            "aiplatform.endpoints.mutateDeployedModel": self.mutate_deployed_model,
        }

    def restore(self) -> None:
        """Start the processes of everything that was deployed when the emulator ended."""
        for endpoint in self._store.all(KIND):
            self._serving.route(endpoint)
            for deployed in endpoint["deployedModels"]:
                self._serving.start(endpoint["name"], deployed, self._version_of(deployed))

    def _version_of(self, deployed: Json) -> Json:
        return self._models.version(f"{deployed['model']}@{deployed['modelVersionId']}")

    def existing(self, name: str) -> Json:
        """The endpoint.

        Raises:
            NotFound: there is none.
        """
        endpoint = self._store.get(KIND, name)
        if endpoint is None:
            raise NotFound(f"Endpoint `{name}` is not found.")
        return endpoint

    def _keep(self, endpoint: Json) -> Json:
        changed = endpoint | {"etag": fresh_etag(), "updateTime": self._operations.timestamp()}
        self._store.put(KIND, endpoint["name"], changed)
        self._serving.route(changed)
        return changed

    async def create(self, call: Call) -> Json:
        """A new endpoint with nothing deployed."""
        given = call.message(types.Endpoint)
        if not given.get("displayName"):
            raise InvalidArgument("Endpoint.display_name is required.")
        check_labels(given.get("labels", {}))
        name = f"{call.name}/endpoints/{call.option('endpointId') or fresh_id()}"
        if self._store.get(KIND, name) is not None:
            raise AlreadyExists(f"Endpoint `{name}` already exists.")
        payload = {"name": name, "endpoint": {key: value for key, value in given.items() if key not in _OUTPUT_ONLY}}
        return self._operations.start(
            "endpoints.create", name, payload, metadata="CreateEndpointOperationMetadata", response="Endpoint"
        )

    async def _carry_out_create(self, payload: Json) -> Finish:
        def finish() -> Json:
            if self._store.get(KIND, payload["name"]) is not None:
                raise AlreadyExists(f"Endpoint `{payload['name']}` already exists.")
            empty: Json = {"createTime": self._operations.timestamp(), "deployedModels": [], "trafficSplit": {}}
            return self._keep(payload["endpoint"] | empty | {"name": payload["name"]})

        return finish

    async def get(self, call: Call) -> Json:
        """One endpoint."""
        return self._shown(self.existing(call.name))

    def _shown(self, endpoint: Json) -> Json:
        deployed = [model | self._serving.status(endpoint["name"], model["id"]) for model in endpoint["deployedModels"]]
        return endpoint | {"deployedModels": deployed}

    async def list(self, call: Call) -> Json:
        """All endpoints of the location."""
        endpoints = [self._shown(endpoint) for endpoint in self._store.all(KIND, f"{call.name}/")]
        return page(endpoints, "endpoints", call.query, identity="endpoint")

    async def patch(self, call: Call) -> Json:
        """Change an endpoint at once."""
        return self._changed(call.name, call.message(types.Endpoint), call.option("updateMask"))

    def _changed(self, name: str, given: Json, mask: str) -> Json:
        endpoint = self.existing(name)
        if given.get("etag") and given["etag"] != endpoint["etag"]:
            raise FailedPrecondition(f"The etag of Endpoint `{name}` does not match. Got {given['etag']}.")
        changed = patched(endpoint, given, mask, _CHANGEABLE)
        check_labels(changed.get("labels", {}))
        changed.setdefault("trafficSplit", {})
        if changed["trafficSplit"] or changed["deployedModels"]:
            check_split(changed["trafficSplit"], _deployed_ids(changed))
        return self._shown(self._keep(changed))

    async def update(self, call: Call) -> Json:
        """Change an endpoint by an operation; every field that was given is taken."""
        given = call.message(types.UpdateEndpointLongRunningRequest).get("endpoint", {})
        self.existing(call.name)
        payload = {"name": call.name, "endpoint": given}
        return self._operations.start(
            "endpoints.update", call.name, payload, metadata="UpdateEndpointOperationMetadata", response="Endpoint"
        )

    async def _carry_out_update(self, payload: Json) -> Finish:
        return lambda: self._changed(payload["name"], payload["endpoint"], "*")

    async def delete(self, call: Call) -> Json:
        """Forget an endpoint that has nothing deployed."""
        self._refuse_when_used(self.existing(call.name))
        payload = {"name": call.name}
        return self._operations.start("endpoints.delete", call.name, payload, metadata="DeleteOperationMetadata")

    @staticmethod
    def _refuse_when_used(endpoint: Json) -> None:
        if endpoint["deployedModels"]:
            ids = ", ".join(sorted(_deployed_ids(endpoint)))
            raise FailedPrecondition(
                f"Endpoint `{endpoint['name']}` has deployed or being deployed DeployedModel(s) with ids: {ids}. "
                "Undeploy them first."
            )

    async def _carry_out_delete(self, payload: Json) -> Finish:
        def finish() -> Json:
            self._refuse_when_used(self.existing(payload["name"]))
            self._store.delete(payload["name"])
            self._serving.unroute(payload["name"])
            return {}

        return finish

    async def deploy_model(self, call: Call) -> Json:
        """Start a model's processes and, once they are healthy, give them their share of the traffic."""
        endpoint = self.existing(call.name)
        request = call.message(types.DeployModelRequest)
        deployed = request.get("deployedModel", {})
        version = self._models.version(deployed.get("model", ""))
        _check_resources(deployed)
        deployed_id = deployed.get("id") or fresh_id()
        if deployed_id in _deployed_ids(endpoint):
            raise AlreadyExists(f"DeployedModel {deployed_id} is on the Endpoint already.")
        split = request.get("trafficSplit", {})
        if split:
            check_split(split, _deployed_ids(endpoint) | {NEW_MODEL})
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

    async def _carry_out_deploy(self, payload: Json) -> Finish:
        name, deployed = payload["endpoint"], payload["deployed"]
        await self._serving.deploy(name, deployed, self._version_of(deployed))

        def finish() -> Json:
            try:
                return self._add_deployed(name, deployed, payload["split"])
            except (NotFound, InvalidArgument):
                self._serving.abandon(name, deployed["id"])
                raise

        return finish

    def _add_deployed(self, name: str, deployed: Json, split: dict[str, int]) -> Json:
        endpoint = self.existing(name)
        added = deployed | {"createTime": self._operations.timestamp()}
        endpoint["deployedModels"].append(added)
        if split:
            named = {added["id"] if key == NEW_MODEL else key: share for key, share in split.items()}
            check_split(named, _deployed_ids(endpoint))
            endpoint["trafficSplit"] = named
        self._keep(endpoint)
        return {"deployedModel": added}

    async def undeploy_model(self, call: Call) -> Json:
        """Take a model's traffic away, let its requests end, stop its processes."""
        endpoint = self.existing(call.name)
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
        remaining = _deployed_ids(endpoint) - {deployed_id}
        if deployed_id not in _deployed_ids(endpoint):
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
        endpoint = self.existing(name)
        endpoint["trafficSplit"] = self._after_undeploy(endpoint, deployed_id, payload["split"])
        self._keep(endpoint)
        await self._serving.undeploy(name, deployed_id)

        def finish() -> Json:
            endpoint = self.existing(name)
            endpoint["deployedModels"] = [model for model in endpoint["deployedModels"] if model["id"] != deployed_id]
            self._keep(endpoint)
            return {}

        return finish

    async def mutate_deployed_model(self, call: Call) -> Json:
        """Change the number of replicas."""
        request = call.message(types.MutateDeployedModelRequest)
        given = request.get("deployedModel", {})
        endpoint = self.existing(call.name)
        if given.get("id") not in _deployed_ids(endpoint):
            raise NotFound(f"DeployedModel {given.get('id')} is not on Endpoint `{call.name}`.")
        mask = request.get("updateMask", "")
        if _RESOURCES not in mask_fields(mask):
            raise InvalidArgument(
                f"Only dedicated_resources of a DeployedModel can be changed here. Got mask {mask!r}."
            )
        _check_resources(given)
        payload = {"endpoint": call.name, "id": given["id"], "resources": given[_RESOURCES]}
        return self._operations.start(
            "endpoints.mutateDeployedModel",
            call.name,
            payload,
            metadata="MutateDeployedModelOperationMetadata",
            response="MutateDeployedModelResponse",
        )

    async def _carry_out_mutate(self, payload: Json) -> Finish:
        await self._serving.resize(payload["endpoint"], payload["id"], replica_count(payload["resources"]))

        def finish() -> Json:
            endpoint = self.existing(payload["endpoint"])
            for model in endpoint["deployedModels"]:
                if model["id"] == payload["id"]:
                    model[_RESOURCES] = model.get(_RESOURCES, {}) | payload["resources"]
                    self._keep(endpoint)
                    return {"deployedModel": model}
            raise NotFound(f"DeployedModel {payload['id']} is not on Endpoint `{payload['endpoint']}`.")

        return finish


def replica_count(resources: Json) -> int:
    """How many replicas run: the least that the resources ask for, as there is no autoscaling here."""
    return int(resources.get("minReplicaCount", 1))


def _deployed_ids(endpoint: Json) -> set[str]:
    return {model["id"] for model in endpoint["deployedModels"]}


def _check_resources(deployed: Json) -> None:
    resources = deployed.get(_RESOURCES)
    if resources is None:
        raise InvalidArgument("'dedicated_resources' are required to deploy a custom-trained Model.")
    least, most = replica_count(resources), int(resources.get("maxReplicaCount", 0))
    if least < 1 or (most and most < least):
        raise InvalidArgument(f"Expected 1 <= min_replica_count <= max_replica_count. Got {least} and {most}.")
