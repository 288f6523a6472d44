"""Endpoints: created, listed, changed, deleted."""

from google.cloud.aiplatform_v1 import types

from emulators.vertex.calls import Call, Handler
from emulators.vertex.errors import AlreadyExists, FailedPrecondition, InvalidArgument, NotFound
from emulators.vertex.listing import page
from emulators.vertex.names import fresh_id
from emulators.vertex.operations import Finish, Operations
from emulators.vertex.rules import check_labels, fresh_etag
from emulators.vertex.schema import Json, patched
from emulators.vertex.serving import Serving
from emulators.vertex.state import Store
from emulators.vertex.traffic import check_split

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


class Endpoints:
    """Calls of `endpoints` that change nothing that runs."""

    def __init__(self, store: Store, operations: Operations, serving: Serving) -> None:
        self._store = store
        self._operations = operations
        self._serving = serving
        operations.register("endpoints.create", self._carry_out_create)
        operations.register("endpoints.delete", self._carry_out_delete)
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
        }

    def all(self) -> list[Json]:
        """Every endpoint of every location."""
        return self._store.all(KIND)

    def existing(self, name: str) -> Json:
        """The endpoint.

        Raises:
            NotFound: there is none.
        """
        endpoint = self._store.get(KIND, name)
        if endpoint is None:
            raise NotFound(f"Endpoint `{name}` is not found.")
        return endpoint

    def keep(self, endpoint: Json) -> Json:
        """Store a changed endpoint under a fresh etag, and route by it."""
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
            return self.keep(payload["endpoint"] | empty | {"name": payload["name"]})

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
            check_split(changed["trafficSplit"], deployed_ids(changed))
        return self._shown(self.keep(changed))

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
            ids = ", ".join(sorted(deployed_ids(endpoint)))
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


def deployed_ids(endpoint: Json) -> set[str]:
    """Ids of the models on an endpoint."""
    return {model["id"] for model in endpoint["deployedModels"]}
