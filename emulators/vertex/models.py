"""The Model Registry's calls: models, their immutable versions, aliases, labels."""

from google.cloud.aiplatform_v1 import types

from emulators.vertex.calls import Call, Handler
from emulators.vertex.errors import AlreadyExists, FailedPrecondition, InvalidArgument
from emulators.vertex.listing import page
from emulators.vertex.names import canonical, fresh_id
from emulators.vertex.operations import Finish, Operations
from emulators.vertex.rules import check_aliases, check_labels
from emulators.vertex.schema import Json, patched
from emulators.vertex.state import Store
from emulators.vertex.versions import DEFAULT, MODEL, OUTPUT_ONLY, VERSION, Versions

_CHANGEABLE = frozenset({"displayName", "description", "versionDescription", "labels", "explanationSpec"})


class Models:
    """Calls below `models`."""

    def __init__(self, store: Store, versions: Versions, operations: Operations) -> None:
        self._store = store
        self._versions = versions
        self._operations = operations
        operations.register("models.upload", self._carry_out_upload)
        operations.register("models.delete", self._carry_out_delete)
        operations.register("models.deleteVersion", self._carry_out_delete_version)
        operations.register("models.copy", self._carry_out_copy)

    def handlers(self) -> dict[str, Handler]:
        """Calls by name."""
        return {
            "aiplatform.models.upload": self.upload,
            "aiplatform.models.get": self.get,
            "aiplatform.models.list": self.list,
            "aiplatform.models.patch": self.patch,
            "aiplatform.models.delete": self.delete,
            "aiplatform.models.listVersions": self.list_versions,
            "aiplatform.models.deleteVersion": self.delete_version,
            "aiplatform.models.mergeVersionAliases": self.merge_version_aliases,
            "aiplatform.models.copy": self.copy,
        }

    async def upload(self, call: Call) -> Json:
        """A new model, or with `parentModel` a new version of one."""
        request = call.message(types.UploadModelRequest)
        parent, model_id = request.get("parentModel", ""), request.get("modelId", "")
        payload = self._versions.checked(call.name, request.get("model", {}), parent, model_id)
        return self._operations.start(
            "models.upload",
            payload["name"],
            payload,
            metadata="UploadModelOperationMetadata",
            response="UploadModelResponse",
        )

    async def _carry_out_upload(self, payload: Json) -> Finish:
        return lambda: self._versions.put_new(payload)

    async def get(self, call: Call) -> Json:
        """One version."""
        return self._versions.shown(self._versions.version(call.name))

    async def list(self, call: Call) -> Json:
        """The default version of each model."""
        defaults = [
            version for version in self._store.all(VERSION, f"{call.name}/") if DEFAULT in version["versionAliases"]
        ]
        return page([self._versions.shown(version) for version in defaults], "models", call.query, identity="model")

    async def list_versions(self, call: Call) -> Json:
        """All versions of one model."""
        versions = [self._versions.shown(version) for version in self._versions.versions(call.name)]
        return page(versions, "models", call.query, identity="model")

    async def patch(self, call: Call) -> Json:
        """Change what may change of a version; the model behind it never does."""
        version = self._versions.version(call.name)
        given = call.message(types.Model)
        if given.get("etag") and given["etag"] != version["etag"]:
            raise FailedPrecondition(f"The etag of Model {call.name} does not match. Got {given['etag']}.")
        changed = patched(version, given, call.option("updateMask"), _CHANGEABLE)
        check_labels(changed.get("labels", {}))
        self._versions.keep(changed)
        return self._versions.shown(self._versions.version(f"{version['name']}@{version['versionId']}"))

    async def merge_version_aliases(self, call: Call) -> Json:
        """Give aliases to a version, taking them from others; `-alias` removes one."""
        version = self._versions.version(call.name)
        merged = call.message(types.MergeVersionAliasesRequest).get("versionAliases", [])
        adding = {alias for alias in merged if not alias.startswith("-")}
        removing = {alias[1:] for alias in merged if alias.startswith("-")}
        check_aliases(adding)
        if DEFAULT in removing:
            raise InvalidArgument("The default alias cannot be removed, only given to another version.")
        name = version["name"]
        with self._store.transaction():
            self._versions.take_aliases(name, adding - set(version["versionAliases"]))
            kept = [alias for alias in version["versionAliases"] if alias not in removing]
            version["versionAliases"] = kept + sorted(adding - set(kept) - removing)
            self._versions.keep(version)
        return self._versions.shown(self._versions.version(f"{name}@{version['versionId']}"))

    async def delete(self, call: Call) -> Json:
        """Forget a model and all its versions."""
        versions = self._versions.versions(call.name)
        for version in versions:
            self._versions.refuse_when_deployed(version)
        name = versions[0]["name"]
        return self._operations.start("models.delete", name, {"name": name}, metadata="DeleteOperationMetadata")

    async def _carry_out_delete(self, payload: Json) -> Finish:
        def finish() -> Json:
            for version in self._versions.versions(payload["name"]):
                self._versions.refuse_when_deployed(version)
                self._store.delete(f"{version['name']}@{version['versionId']}")
            for evaluation in self._store.all("evaluation", payload["name"] + "/"):
                self._store.delete(evaluation["name"])
            self._store.delete(payload["name"])
            return {}

        return finish

    async def delete_version(self, call: Call) -> Json:
        """Forget one version."""
        if "@" not in call.name:
            raise InvalidArgument(f"A version is required to delete it: expected models/ID@VERSION, got {call.name}.")
        version = self._versions.version(call.name)
        self._versions.refuse_to_delete(version)
        payload = {"name": f"{version['name']}@{version['versionId']}"}
        return self._operations.start(
            "models.deleteVersion", version["name"], payload, metadata="DeleteOperationMetadata"
        )

    async def _carry_out_delete_version(self, payload: Json) -> Finish:
        def finish() -> Json:
            self._versions.refuse_to_delete(self._versions.version(payload["name"]))
            self._store.delete(payload["name"])
            return {}

        return finish

    async def copy(self, call: Call) -> Json:
        """A copy of a version, as a new model or as a new version of one; within or across locations."""
        request = call.message(types.CopyModelRequest)
        source = self._versions.version(request.get("sourceModel", ""))
        parent = canonical(request.get("parentModel", ""))
        if parent:
            self._versions.versions(parent)
        name = parent or f"{call.name}/models/{request.get('modelId') or fresh_id()}"
        if not parent and self._store.get(MODEL, name) is not None:
            raise AlreadyExists(f"The Model {name} already exists.")
        model = {key: value for key, value in source.items() if key not in OUTPUT_ONLY | {"versionAliases"}}
        payload = {"name": name, "model": model, "must_be_new": not parent}
        return self._operations.start(
            "models.copy", name, payload, metadata="CopyModelOperationMetadata", response="CopyModelResponse"
        )

    async def _carry_out_copy(self, payload: Json) -> Finish:
        return await self._carry_out_upload(payload)
